"""One JupyterLab and one chromium for all tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from jupyter_arkitekt.testing import Served
from tests.browser._lab import BROWSER_ARGS, Lab, Notebook, new_context

ROOT = Path(__file__).parents[2]

#: Screenshots are kept here, to be looked at.
ARTIFACTS = ROOT / "artifacts"

AXE = ROOT / "js" / "node_modules" / "axe-core" / "axe.min.js"

OpenNotebook = Callable[..., Notebook]


# Playwright's synchronous door leaves a running event loop on this thread, so that no coroutine test could run while it
# is open: it is closed with the last test of this folder, not of the session.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's chromium; never a downloaded one."""
    program = shutil.which("chromium")
    assert program is not None, "the tests of this folder are marked as needing chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=BROWSER_ARGS)
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab for all."""
    made = Lab(tmp_path_factory.mktemp("lab"))
    yield made
    made.stop()


@pytest.fixture
def notebook(lab: Lab, browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """Open notebooks: ``notebook(*cells)`` writes one, opens it in a fresh context and runs all of it."""
    lab.set_theme("light")
    context = new_context(browser)
    opened: list[Notebook] = []

    def open_one(*cells: str) -> Notebook:
        name = f"{request.node.name}-{len(opened)}.ipynb"
        opened.append(Notebook(lab, context, lab.write(name, *cells)))
        opened[-1].run_all()
        return opened[-1]

    yield open_one
    for one in opened:
        one.picture(ARTIFACTS / f"{request.node.name}-end.png")
    try:
        for one in opened:
            one.close()
    finally:
        context.close()


@pytest.fixture
def signed_in(platform: Served) -> str:
    """Return the code of a first cell that signs in without anybody's consent."""
    return (
        f"import os; os.environ.update(FAKTS_URL={platform.url!r}, FAKTS_REDEEM_TOKEN={platform.redeem_token()!r})\n"
        "%load_ext arkitekt"
    )
