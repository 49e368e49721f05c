"""The sign-in card and the plain outputs that cards leave behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_arkitekt import __version__
from jupyter_arkitekt.errors import ConnectError
from jupyter_arkitekt.models.rekuest import EventKind, PortKind, ReturnPort
from jupyter_arkitekt.testing import wait_for
from jupyter_arkitekt.widgets import LoginCard
from jupyter_arkitekt.widgets._login import signed_in_line
from jupyter_arkitekt.widgets._outcome import outcome
from jupyter_arkitekt.widgets._plain import Plain
from jupyter_arkitekt.widgets._task import state_of

SECONDS = 30.0


class SignIn:
    """A sign-in whose end the test decides."""

    def __init__(self, code: str = "ab12cd34") -> None:
        self.code = code
        self.url = f"https://lab.example:8443/configure/{code}"
        self.state = "pending"
        self.error = ""
        self.seconds_left = 300.0
        self.app: Any = SimpleNamespace(user="<ada>", deployment="Lab", url="https://lab.example:8443")
        self._observers: list[Callable[[Any], None]] = []

    def observe(self, callback: Callable[[Any], None]) -> None:
        self._observers.append(callback)

    def cancel(self) -> None:
        self.settle("cancelled")

    def settle(self, state: str, error: str = "") -> None:
        self.state, self.error = state, error
        for callback in self._observers:
            callback(self)


def press(card: LoginCard, kind: str) -> None:
    """Send what a browser sends."""
    card._handle_custom_msg({"kind": kind}, [])


def test_a_granted_card_forgets_its_code() -> None:
    sign_in = SignIn()
    card = LoginCard(sign_in)
    assert (card.state, card.code, card.server, card.left) == ("pending", "ab12cd34", "lab.example:8443", 300.0)
    sign_in.seconds_left = 120.0
    press(card, "time")
    assert card.left == 120.0
    sign_in.settle("granted")
    assert (card.state, card.user, card.server) == ("granted", "<ada>", "Lab")
    assert "ab12cd34" not in json.dumps(
        {name: str(value) for name, value in card.get_state().items() if name != "_esm"}
    )
    card.close()


def test_a_card_never_puts_its_code_into_the_saved_text() -> None:
    card = LoginCard(SignIn())
    bundle = card._repr_mimebundle_()
    assert bundle is not None
    assert "ab12cd34" not in json.dumps(bundle[0])
    assert "lab.example:8443" in bundle[0]["text/plain"]
    card.close()


@pytest.mark.parametrize("state", ["denied", "expired", "error"])
def test_a_card_that_failed_asks_for_another_code(state: str) -> None:
    first, second = SignIn(), SignIn("ef56ab78")
    card = LoginCard(first, again=lambda: second)
    press(card, "retry")
    assert card.code == first.code, "a code that waits is not replaced"
    first.settle(state, "Because.")
    assert (card.state, card.message, card.can_retry) == (state, "Because.", True)
    press(card, "retry")
    wait_for(lambda: card.state == "pending", SECONDS, "the next code")
    assert card.code == "ef56ab78"
    first.settle("granted")
    assert card.state == "pending", "the former sign-in has nothing to say any more"
    card.close()
    assert second.state == "cancelled", "nobody waits for a card that is closed"


def test_a_card_whose_server_is_gone_says_so() -> None:
    def gone() -> SignIn:
        raise ConnectError("Nobody answers at lab.example.")

    first = SignIn()
    card = LoginCard(first, again=gone)
    press(card, "cancel")
    assert card.state == "cancelled"
    press(card, "retry")
    wait_for(lambda: card.state == "error", SECONDS, "the error")
    assert card.message == "Nobody answers at lab.example."
    assert "%arkitekt login" in card.remedy
    card.close()


def test_the_line_says_who_and_where_in_text_and_html() -> None:
    bundle = signed_in_line(SignIn().app)._repr_mimebundle_()
    assert bundle["text/plain"] == "Signed in as <ada> at Lab · https://lab.example:8443"
    assert "Signed in as &lt;ada&gt; at Lab" in bundle["text/html"]
    assert "https://lab.example:8443" in bundle["text/html"]


class Pictured:
    """Something that has a face of its own."""

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return {"text/plain": "picture", "text/html": "<b>picture</b>"}


def test_a_result_is_its_own_face_and_values_are_text() -> None:
    port = ReturnPort(key="return0", kind=PortKind.INT)
    named = ReturnPort(key="return1", kind=PortKind.STRUCTURE, identifier="@a/b", label="mask")
    pictured = Pictured()
    assert outcome("Count", [port], pictured) is pictured
    count = outcome("Count", [port], 42)
    assert isinstance(count, Plain)
    assert count.text == "Count →\n42"
    assert "<strong>" in count.markup
    both = outcome("Split", [port, named], ("<i>", pictured))
    assert isinstance(both, Plain)
    assert "&lt;i&gt;" in both.markup
    assert "<b>picture</b>" in both.markup
    assert "Split → mask picture" in both.text
    nothing = outcome("Wash", [], None)
    assert isinstance(nothing, Plain)
    assert "returns nothing" in nothing.text
    long = outcome("Read", [port], "x" * 5000)
    assert isinstance(long, Plain)
    assert "3000 more characters" in long.text


def test_every_event_has_a_state_that_the_browser_has_words_for() -> None:
    words = (Path(__file__).parents[2] / "js" / "src" / "task" / "view.ts").read_text(encoding="utf-8")
    for kind in EventKind:
        for done in (False, True):
            assert f'  {state_of(kind, done=done)}: "' in words
    assert state_of(EventKind.STARTED, done=True) == "failed", "a task that ended without an event has failed"


def test_both_halves_have_one_version() -> None:
    package = json.loads((Path(__file__).parents[2] / "js" / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == __version__
