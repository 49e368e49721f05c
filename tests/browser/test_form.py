"""A form in JupyterLab: filled by hand, run elsewhere, its result in the page and in the kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_arkitekt.testing import Served, hosting
from tests.browser._lab import expect
from tests.browser.conftest import ARTIFACTS, AXE, OpenNotebook

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(300)]

HOSTED = '''
import time
from typing import Literal

from jupyter_arkitekt.mikro import Image, from_array_like
from jupyter_arkitekt.rekuest import log, progress, register


@register(name="Scale <b>bold</b>")
def scale(number: int, factor: float = 2.0, offset: float | None = None, mode: Literal["up", "down"] = "up") -> str:
    """Scale a number.

    Slowly, if you like <i>markup</i>.

    Parameters
    ----------
    number
        What to <u>scale</u>
    """
    if number < 0:
        raise ValueError(f"{number} is negative")
    return f"{number} {factor} {offset} {mode}"


@register(name="Invert")
def invert(image: Image) -> Image:
    """Invert an image."""
    progress(50, "half of it")
    return from_array_like(255 - image.data.to_numpy(), name=f"{image.name}, inverted")


@register(name="Wait for the end")
def wait_for_the_end() -> None:
    """Go on until somebody cancels."""
    log("there we go", level="WARN")
    for second in range(3000):
        progress(min(99, second), f"step {second}")
        time.sleep(0.05)
'''

IMAGES = """
import numpy as np
from arkitekt import form, from_array_like
y, x = np.mgrid[:256, :256]
for name in ("waves", "<img src=x onerror=alert(1)>"):
    from_array_like((127 + 120 * np.sin(x / 9) * np.cos(y / 13)).astype("uint8")[None, None, None], name=name)
"""

WAIT = """
from jupyter_arkitekt.testing import wait_for_action
for name in ("scale", "invert", "wait_for_the_end"):
    wait_for_action(name)
"""


@pytest.fixture(scope="module", autouse=True)
def hosted(platform: Served) -> Iterator[None]:
    """Host functions in a process of their own while the tests of this module run."""
    with hosting(platform, HOSTED, identifier="test.browser"):
        yield


def test_an_image_is_picked_by_keyboard_and_its_result_is_seen(notebook: OpenNotebook, signed_in: str) -> None:
    opened = notebook(signed_in, WAIT, IMAGES, 'f = form("Invert"); f')
    form = opened.page.locator(".arkitekt-form")
    expect(opened.output(0)).to_contain_text("Signed in as")

    search = form.get_by_role("combobox", name="image")
    search.click()
    expect(form.get_by_role("option")).to_have_count(2)
    expect(form.get_by_role("option").first).to_contain_text("<img src=x")
    search.press_sequentially("wav")
    expect(form.get_by_role("option")).to_have_count(1)
    search.press("ArrowDown")
    search.press("Enter")
    expect(search).to_have_value("waves")
    expect(form.get_by_role("img", name="Thumbnail of waves")).to_be_visible()
    assert (
        opened.ask("f.values['image']") == opened.ask("repr(str(__import__('arkitekt').images('waves')[0].id))")[1:-1]
    )

    form.get_by_role("button", name="Run").click()
    expect(form.locator(".arkitekt-task-word")).to_have_text("Done")
    picture = opened.output(3).locator("img:not(.arkitekt-picker-picture)")
    expect(picture).to_be_visible()
    assert opened.ask("f.result.name") == "'waves, inverted'"
    assert opened.ask(
        "bool((f.result.data.values == 255 - __import__('arkitekt').images('waves')[-1].data.values).all())"
    )
    for theme in ("light", "dark"):
        opened.show(theme)
        opened.picture(ARTIFACTS / f"form-image-{theme}.png", opened.output(3))
        assert opened.axe(".arkitekt-form", AXE) == []
    assert "image/png" in opened.save(), "the result stays in the notebook without its kernel"


def test_bad_input_is_told_at_its_field_and_markup_is_text(notebook: OpenNotebook, signed_in: str) -> None:
    opened = notebook(signed_in, WAIT, 'from arkitekt import form\nf = form("scale", factor=3); f')
    form = opened.page.locator(".arkitekt-form")
    expect(form.get_by_role("heading", name="Scale <b>bold</b>")).to_be_visible()
    expect(form.get_by_text("What to <u>scale</u>")).to_be_visible()

    number = form.get_by_label("number", exact=True)
    number.fill("a few")
    form.get_by_role("button", name="Run").click()
    expect(form.get_by_text("'a few' is not a whole number.")).to_be_visible()
    expect(form.get_by_role("alert").filter(has_text="Not run")).to_contain_text("number")
    expect(number).to_have_value("a few")
    assert opened.ask("f.task") == "None"
    opened.picture(ARTIFACTS / "form-wrong-light.png", form)

    number.fill("4")
    expect(form.get_by_text("'a few' is not a whole number.")).to_be_hidden()
    form.get_by_label("offset", exact=True).fill("0")
    expect(form.get_by_label("No value for offset")).not_to_be_checked()
    form.get_by_label("mode", exact=True).select_option("down")
    form.get_by_role("button", name="Run").click()
    expect(opened.output(2).get_by_text("4 3.0 0.0 down")).to_be_visible()
    assert opened.ask("f.result") == "'4 3.0 0.0 down'"

    number.fill("-1")
    form.get_by_label("No value for offset").check()
    form.get_by_role("button", name="Run").click()
    expect(form.locator(".arkitekt-task-word")).to_have_text("Failed")
    expect(form.locator(".arkitekt-task-error")).to_contain_text("-1 is negative")
    expect(opened.output(2).get_by_text("4 3.0 0.0 down")).to_have_count(0)
    expect(number).to_have_value("-1")

    for theme in ("light", "dark"):
        opened.show(theme)
        assert opened.axe(".arkitekt-form", AXE) == []
    # A phone, or a narrow column: nothing is cut off.
    form.evaluate("element => { element.style.width = '320px' }")
    assert form.evaluate("element => element.scrollWidth <= element.clientWidth")
    opened.picture(ARTIFACTS / "form-narrow-dark.png", form)


def test_a_call_shows_its_progress_and_can_be_cancelled(notebook: OpenNotebook, signed_in: str) -> None:
    opened = notebook(signed_in, WAIT, 'from arkitekt import form\nf = form("Wait for the end"); f')
    form = opened.page.locator(".arkitekt-form")
    form.get_by_role("button", name="Run").click()
    card = form.locator(".arkitekt-task")
    expect(card.locator("progress[value]")).to_be_visible()
    expect(card.locator(".arkitekt-task-message")).to_contain_text("step")
    card.get_by_text("Log (1 line").click()
    expect(card.get_by_role("log")).to_contain_text("there we go")
    for theme in ("light", "dark"):
        opened.show(theme)
        opened.picture(ARTIFACTS / f"task-{theme}.png", card)
    card.get_by_role("button", name="Cancel").click()
    expect(card.locator(".arkitekt-task-word")).to_have_text("Cancelled")
    expect(form.get_by_role("button", name="Run")).to_be_enabled()
    assert opened.ask("f.task.done") == "True"
    assert opened.ask("f.result") == "None"
