"""``%load_ext arkitekt`` in real kernels, against real platforms."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from jupyter_arkitekt.app._local import running_platform, stop_platform
from jupyter_arkitekt.testing import Served, wait_for
from tests.notebooks._kernel import Kernel, kernel

SECONDS = 60.0
NAMES = "sorted(name for name in globals() if not name.startswith('_'))"


def redeemed(platform: Served) -> dict[str, str]:
    """Return the variables of a kernel that needs nobody to sign in."""
    return {"FAKTS_URL": platform.url, "FAKTS_REDEEM_TOKEN": platform.redeem_token()}


def test_loading_says_who_and_where_in_one_line_and_unloading_undoes_it(platform: Served, tmp_path: Path) -> None:
    with kernel(tmp_path, **redeemed(platform)) as notebook:
        names = notebook.ask(NAMES)
        magics = notebook.ask("sorted(get_ipython().magics_manager.magics['line'])")
        loaded = notebook.run("%load_ext arkitekt")
        assert (loaded.error, loaded.printed, len(loaded.bundles)) == ("", "", 1)
        assert re.search(r"^Signed in as \S+ at .+ · " + re.escape(platform.url), loaded.text)
        assert "\n" not in loaded.text
        assert platform.url in loaded.html
        assert set(loaded.bundles[0]) == {"text/plain", "text/html"}, "a plain bundle: it reads without a kernel"
        assert notebook.ask(NAMES) == names, "nothing is put into the user's names"
        assert notebook.run("import arkitekt; print(len(arkitekt.images(limit=1)) <= 1)").printed == "True\n"

        again = notebook.run("%load_ext arkitekt")
        assert "already loaded" in again.text
        direct = notebook.run("arkitekt.load_ipython_extension(get_ipython())")
        assert (direct.error, direct.bundles) == ("", [])
        status = notebook.run("%arkitekt")
        assert status.text == loaded.text

        reloaded = notebook.run("%reload_ext arkitekt")
        assert (reloaded.error, reloaded.text) == ("", loaded.text)

        unloaded = notebook.run("%unload_ext arkitekt")
        assert (unloaded.error, unloaded.bundles) == ("", [])
        assert notebook.ask("sorted(get_ipython().magics_manager.magics['line'])") == magics
        after = notebook.run("arkitekt.images()")
        assert after.error.startswith("NotConnectedError")
        assert "%load_ext arkitekt" in after.error


def test_a_card_asks_for_consent_without_blocking_and_leaves_a_line(platform: Served, tmp_path: Path) -> None:
    with kernel(tmp_path, FAKTS_URL=platform.url) as notebook:
        loaded = notebook.run("%load_ext arkitekt")
        assert loaded.error == ""
        assert "application/vnd.jupyter.widget-view+json" in loaded.bundles[0]
        assert notebook.run("1 + 1").text == "2", "the kernel is free while somebody decides"
        waiting = notebook.run("%arkitekt status").text
        found = re.search(r"open (\S+) and check that it shows the code (\w+)", waiting)
        assert found, waiting
        page, code = found.groups()
        assert code not in loaded.text + loaded.html, "what is saved with the notebook has no code"
        consent = httpx.post(page, data={"decision": "allow", "token": platform.redeem_token()}, timeout=SECONDS)
        assert consent.status_code == 200, consent.text
        wait_for(lambda: "Signed in as" in notebook.run("%arkitekt").text, SECONDS, "the sign-in")
        assert notebook.run("import arkitekt; arkitekt.images(limit=1)").error == ""

        out = notebook.run("%arkitekt logout")
        assert out.text.startswith("Signed out of")
        assert notebook.run("arkitekt.images()").error.startswith("NotConnectedError")
        assert "Nobody is signed in" in notebook.run("%arkitekt").text
        anew = notebook.run("%arkitekt login")
        assert "application/vnd.jupyter.widget-view+json" in anew.bundles[0], "signing out forgets the kept sign-in"


def test_a_kept_sign_in_needs_nobody_and_a_refusal_is_told(platform: Served, tmp_path: Path) -> None:
    with kernel(tmp_path, FAKTS_URL=platform.url, JPY_SESSION_NAME="one.ipynb") as notebook:
        notebook.run("%load_ext arkitekt")
        decide(notebook, "deny", platform)
        refused = "__import__('jupyter_arkitekt.extension._load').extension._load._sessions"
        wait_for(
            lambda: notebook.ask(f"next(iter({refused}.values()))[0]._card.state") == "'denied'", SECONDS, "the refusal"
        )
        notebook.run("%arkitekt login")
        decide(notebook, "allow", platform)
        wait_for(lambda: "Signed in as" in notebook.run("%arkitekt").text, SECONDS, "the sign-in")
    with kernel(tmp_path, FAKTS_URL=platform.url, JPY_SESSION_NAME="one.ipynb") as notebook:
        assert "Signed in as" in notebook.run("%load_ext arkitekt").text


def decide(notebook: Kernel, decision: str, platform: Served) -> None:
    """Do what a person does on the consent page."""
    found = re.search(r"open (\S+) and", notebook.run("%arkitekt").text)
    assert found
    form = {"decision": decision, "token": platform.redeem_token()}
    assert httpx.post(found[1], data=form, timeout=SECONDS).status_code == 200


@pytest.mark.parametrize(("url", "told"), [("http://127.0.0.1:9", "127.0.0.1:9"), ("not an address", "not an address")])
def test_an_error_is_one_clear_card_and_can_be_mended_without_loading_again(
    url: str, told: str, platform: Served, tmp_path: Path
) -> None:
    with kernel(tmp_path, **{**redeemed(platform), "FAKTS_URL": url}) as notebook:
        loaded = notebook.run("%load_ext arkitekt")
        assert loaded.error == ""
        assert "Traceback" not in loaded.text + loaded.html
        assert told in loaded.text
        assert "%arkitekt login" in loaded.text
        assert "Signed in as" in notebook.run(f"%arkitekt login {platform.url}").text


def test_a_bare_kernel_starts_the_local_platform_and_is_its_owner(tmp_path: Path) -> None:
    data = tmp_path / "data"
    try:
        with kernel(tmp_path, ARKITEKT_DATA_DIR=str(data)) as notebook:
            loaded = notebook.run("%load_ext arkitekt")
            found = running_platform(data)
            assert found is not None
            assert "Signed in as" in loaded.text
            assert found.url in loaded.text
        assert running_platform(data) == found, "the end of a kernel is not the end of the platform"
    finally:
        stop_platform(data, seconds=SECONDS)


def test_usage_is_explained(platform: Served, tmp_path: Path) -> None:
    with kernel(tmp_path, **redeemed(platform)) as notebook:
        notebook.run("%load_ext arkitekt")
        assert "address of the server" in notebook.run("print(get_ipython().find_line_magic('arkitekt').__doc__)").text
        wrong = notebook.run("%arkitekt dance")
        assert "invalid choice: 'dance'" in wrong.text + wrong.error
