"""The quickstart as a person meets it: opened in JupyterLab, run, looked at, its form filled and run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from jupyter_arkitekt import config
from jupyter_arkitekt.app import easy, stop_platform
from jupyter_arkitekt.demo import host, quickstart, samples
from tests.browser._lab import Lab, Notebook, expect, new_context
from tests.browser.conftest import ARTIFACTS, AXE

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]

PICTURE, COUNT, BLUR, SLOW, OWN = 2, 6, 7, 8, 9


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """What `arkitekt demo` sets up: platform, samples, sample app, JupyterLab."""
    data_dir = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(config.ARKITEKT_DATA_DIR, str(data_dir))
        with easy("live.arkitekt.demo"):
            samples.bring()
            with host.running(data_dir):
                lab = Lab(tmp_path_factory.mktemp("lab"), {config.ARKITEKT_DATA_DIR: str(data_dir)})
                try:
                    yield lab
                finally:
                    lab.stop()
        stop_platform(data_dir, seconds=60)


def _place(opened: Notebook, cell: int) -> None:
    opened.page.locator(".jp-CodeCell").nth(cell).scroll_into_view_if_needed()


def test_the_quickstart_shows_pictures_and_runs_its_forms(demo: Lab, browser: Browser) -> None:
    context = new_context(browser, width=1100, height=1200)
    opened = Notebook(demo, context, demo.take(quickstart.packaged()))
    opened.run_all()

    expect(opened.output(0)).to_contain_text("127.0.0.1")
    expect(opened.output(OWN)).not_to_be_empty()  # the last cell: everything before it has run
    _place(opened, PICTURE)
    picture = opened.output(PICTURE).locator("img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("img => img.complete && img.naturalWidth > 100")
    assert "Nuclei" in str(picture.get_attribute("alt"))
    assert int(opened.ask("stack.data.sizes['z']")) == samples.STACK_SHAPE[2]
    expect(opened.output(COUNT)).to_contain_text("44")

    _place(opened, BLUR)
    form = opened.output(BLUR).locator(".arkitekt-form")
    sigma = form.get_by_label("sigma", exact=False).first
    sigma.fill("4")
    sigma.press("Tab")
    form.get_by_role("button", name="Run").click()
    blurred = opened.output(BLUR).get_by_text("blurred by 4 px").first
    expect(blurred).to_be_visible()
    assert "blurred by 4 px" in opened.ask("blur.result.name")

    _place(opened, SLOW)
    slow = opened.output(SLOW).locator(".arkitekt-form")
    slow.get_by_role("button", name="Run").click()
    expect(slow.locator("progress")).to_be_visible()
    slow.get_by_role("button", name="Cancel").click()
    expect(slow).to_contain_text("ancelled")
    assert opened.ask("sharpest.task.status.value") == "'CANCELLED'"

    assert not opened.axe(".arkitekt-form", AXE)
    for theme in ("light", "dark"):
        opened.show(theme)
        for name, cell in (("picture", PICTURE), ("form", BLUR)):
            _place(opened, cell)
            expect(opened.output(cell).locator("img").first).to_be_in_viewport()
            opened.picture(ARTIFACTS / "browser" / f"quickstart-{name}-{theme}.png")
    opened.close()
    context.close()


def test_the_working_copy_is_the_persons_own(tmp_path: Path) -> None:
    copy = quickstart.working_copy(tmp_path)
    assert copy.read_bytes() == quickstart.packaged().read_bytes()
    copy.write_text("mine", encoding="utf-8")
    assert quickstart.working_copy(tmp_path).read_text(encoding="utf-8") == "mine"
