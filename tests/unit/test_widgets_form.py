"""The form without a kernel and without a server: the call behind it is a stand-in, everything else is real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from jupyter_arkitekt import context
from jupyter_arkitekt.errors import (
    ArgumentError,
    ConnectError,
    NoAgentError,
    TaskCancelledError,
    TaskFailedError,
)
from jupyter_arkitekt.models.rekuest import Action, ArgPort, EventKind, PortKind, ReturnPort, TaskEvent
from jupyter_arkitekt.testing import wait_for
from jupyter_arkitekt.widgets import Form, TaskCard, _form, form
from jupyter_arkitekt.widgets._head import FormHead
from jupyter_arkitekt.widgets._picker import Option, Picker
from jupyter_arkitekt.widgets._structures import PickerField

SECONDS = 30.0

ACTION = Action(
    id="7",
    name="Scale <b>",
    description="Scale a number.\n\nSlowly.",
    args=[
        ArgPort(key="number", kind=PortKind.INT),
        ArgPort(key="factor", kind=PortKind.FLOAT, default=2.0, nullable=True),
        ArgPort(key="offset", kind=PortKind.FLOAT, nullable=True),
    ],
    returns=[ReturnPort(key="return0", kind=PortKind.FLOAT)],
)


class Signed:
    """An app that nobody asks anything."""

    identifier = "test"
    url = "http://127.0.0.1:1"


class Call:
    """A task whose end the test decides."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.done = False
        self.status = EventKind.STARTED
        self.progress: int | None = None
        self.message: str | None = None
        self.logs: Sequence[tuple[str, str]] = []
        self.cancelled = 0
        self.called_through = context.current()
        self._end: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._observers: list[Callable[[TaskEvent], None]] = []

    def observe(self, callback: Callable[[TaskEvent], None]) -> Callable[[], None]:
        self._observers.append(callback)
        return lambda: self._observers.remove(callback)

    def tell(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        for callback in list(self._observers):
            callback(TaskEvent(id="1", kind=EventKind.PROGRESS))

    def end(self, kind: EventKind, result: Any = None) -> None:
        def finish() -> None:
            self.tell(status=kind, done=True)
            if isinstance(result, Exception):
                self._end.set_exception(result)
            else:
                self._end.set_result(result)

        self._end.get_loop().call_soon_threadsafe(finish)

    async def aresult(self) -> Any:
        return await self._end

    async def acancel(self) -> None:
        self.cancelled += 1
        self.end(EventKind.CANCELLED, TaskCancelledError("cancelled"))


class Stage:
    """Who answers calls: `calls` has what came, `refuse` what is raised instead of a task."""

    def __init__(self) -> None:
        self.app: Any = Signed()
        self.calls: list[Call] = []
        self.refuse: Exception | None = None

    async def start(self, _action: Action, /, **values: Any) -> Call:
        if self.refuse is not None:
            raise self.refuse
        self.calls.append(Call(values))
        return self.calls[-1]

    def form(self, action: Action = ACTION, **values: Any) -> Form:
        return Form(action, self.app, **values)

    def running(self, made: Form) -> Call:
        before = len(self.calls)
        assert made.run()
        wait_for(lambda: len(self.calls) > before, SECONDS, "the call")
        return self.calls[-1]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage()
    monkeypatch.setattr(_form, "astart", made.start)
    context.set_current(made.app)
    yield made
    context.set_current(None)


def card(made: Form) -> TaskCard:
    return next(child for child in made.children if isinstance(child, TaskCard))


def problem(made: Form) -> str:
    return str(made.children[0].problem)


def test_a_form_is_made_of_the_actions_ports_and_starts_with_what_is_given(stage: Stage) -> None:
    made = form(ACTION, number=3)
    assert list(made.fields) == ["number", "factor", "offset"]
    assert made.values == {"number": 3, "factor": 2.0, "offset": None}
    made.set(offset=0, number=4)
    assert made.values == {"number": 4, "factor": 2.0, "offset": 0.0}
    assert (made.task, made.result, made.running) == (None, None, False)
    made.close()


def test_arguments_that_do_not_exist_or_do_not_fit_are_refused(stage: Stage) -> None:
    with pytest.raises(TypeError, match=r"no argument 'facter'. Did you mean 'factor'\? It takes: number, factor, off"):
        stage.form(facter=1)
    made = stage.form()
    with pytest.raises(TypeError, match="no argument 'size'"):
        made.set(size=1)
    with pytest.raises(ArgumentError) as error:
        _ = made.values
    assert error.value.port == "number"


def test_a_form_needs_an_app() -> None:
    with pytest.raises(RuntimeError, match="%load_ext arkitekt"):
        form(ACTION)


def test_running_sends_the_values_and_gives_the_result(stage: Stage) -> None:
    made = stage.form(number=3)
    call = stage.running(made)
    assert call.values == {"number": 3, "factor": 2.0, "offset": None}
    assert made.running
    assert not made.run(), "one call at a time"
    call.tell(progress=40, message="half", logs=[("INFO", "a"), ("WARN", "b")])
    wait_for(lambda: card(made).progress == 40, SECONDS, "the progress")
    assert (card(made).state, card(made).message, card(made).can_cancel) == ("running", "half", True)
    assert card(made).logs == [{"level": "INFO", "text": "a"}, {"level": "WARN", "text": "b"}]
    call.end(EventKind.COMPLETED, 6.0)
    assert made.wait(SECONDS) == 6.0
    assert (made.result, card(made).state, made.running) == (6.0, "done", False)
    assert "6.0" in made.children[-1].value, "a form inside of something else shows its result itself"
    made.close()


def test_a_form_can_be_run_again(stage: Stage) -> None:
    made = stage.form(number=1)
    for number in (1, 2):
        made.set(number=number)
        stage.running(made).end(EventKind.COMPLETED, float(number))
        assert made.wait(SECONDS) == float(number)
    assert [call.values["number"] for call in stage.calls] == [1, 2]


def test_bad_input_is_not_sent_and_nothing_typed_is_lost(stage: Stage) -> None:
    made = stage.form()
    made.fields["number"].control.value = "three"
    made.fields["factor"].control.value = "2,5"
    assert not made.run()
    assert "number, factor" in problem(made)
    assert "whole number" in made.fields["number"].complaint
    assert made.fields["factor"].control.value == "2,5"
    assert stage.calls == []
    made.set(number=3, factor=2.5)
    stage.running(made).end(EventKind.COMPLETED, 7.5)
    assert made.wait(SECONDS) == 7.5
    assert problem(made) == ""


def test_an_argument_that_only_the_call_refuses_is_told_at_its_field(stage: Stage) -> None:
    stage.refuse = ArgumentError("'number' is out of season.", port="number")
    made = stage.form(number=3)
    assert made.run()
    made.wait(SECONDS)
    assert made.fields["number"].complaint == "'number' is out of season."
    assert card(made).state == "idle"
    assert not made.running


@pytest.mark.parametrize("error", [NoAgentError("Nobody hosts it now."), ConnectError("Nobody answers.")])
def test_a_call_that_cannot_start_says_why(stage: Stage, error: Exception) -> None:
    stage.refuse = error
    made = stage.form(number=3)
    made.run()
    made.wait(SECONDS)
    assert problem(made) == str(error)
    assert card(made).state == "idle"


def test_a_call_that_fails_says_why_and_the_old_result_is_not_shown_as_its_own(stage: Stage) -> None:
    made = stage.form(number=3)
    stage.running(made).end(EventKind.COMPLETED, 6.0)
    made.wait(SECONDS)
    call = stage.running(made)
    call.end(EventKind.CRITICAL, TaskFailedError("It failed: no\nTraceback: here"))
    made.wait(SECONDS)
    assert (card(made).state, card(made).error) == ("failed", "It failed: no")
    assert "Traceback: here" in card(made).detail
    assert made.children[-1].value == ""


def test_cancel_reaches_the_task_once(stage: Stage) -> None:
    made = stage.form(number=3)
    call = stage.running(made)
    wait_for(lambda: card(made).can_cancel, SECONDS, "the card")
    made.cancel()
    made.cancel()
    made.wait(SECONDS)
    assert call.cancelled == 1
    assert (card(made).state, made.result) == ("cancelled", None)


def test_a_form_keeps_its_app(stage: Stage) -> None:
    made = stage.form(number=3)
    context.set_current(None)
    call = stage.running(made)
    assert call.called_through is stage.app
    call.end(EventKind.COMPLETED, 6.0)
    made.wait(SECONDS)


class Shelf:
    """Three things to pick from."""

    noun = "thing"
    things = (Option("1", "first"), Option("2", "second", "blue"), Option("30", "third"))

    async def search(self, text: str) -> Sequence[Option]:
        if text == "down":
            raise ConnectError("Nobody answers.")
        return [one for one in self.things if text in one.name]

    async def find(self, id: str) -> Option | None:
        return next((one for one in self.things if one.id == id), None)

    async def picture(self, id: str) -> bytes | None:
        return b"PNG of " + id.encode()


def ask(picker: Picker, message: Any) -> None:
    """Send what a browser sends."""
    picker._handle_custom_msg(message, [])


def test_a_picker_finds_shows_and_refuses() -> None:
    picker = Picker(Shelf(), "what")
    ask(picker, {"kind": "search", "text": "sec"})
    wait_for(lambda: picker.answer["text"] == "sec", SECONDS, "the answer")
    assert [option["id"] for option in picker.answer["options"]] == ["2"]
    ask(picker, {"kind": "search", "text": "down"})
    wait_for(lambda: bool(picker.answer["error"]), SECONDS, "the error")
    assert picker.answer["error"] == "Nobody answers."
    picker.value = "2"
    wait_for(lambda: picker.picture is not None, SECONDS, "the picture")
    assert (picker.chosen["name"], picker.picture) == ("second", b"PNG of 2")
    picker.value = "99"
    wait_for(lambda: bool(picker.problem), SECONDS, "the problem")
    assert picker.problem == "There is no thing with the id 99."
    assert (picker.chosen, picker.picture) == (None, None)
    picker.close()


def test_a_picked_thing_that_does_not_exist_is_not_sent(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_arkitekt.widgets._fields.source_for", lambda *_: Shelf())
    port = ArgPort(key="thing", kind=PortKind.STRUCTURE, identifier="@test/thing")
    made = stage.form(Action(id="8", name="Take", args=[port]), thing="99")
    assert isinstance(made.fields["thing"], PickerField)
    wait_for(lambda: bool(made.fields["thing"].complaint), SECONDS, "the complaint")
    assert not made.run()
    made.set(thing={"__identifier": "@test/thing", "object": "2"})
    call = stage.running(made)
    assert call.values == {"thing": "2"}
    call.end(EventKind.COMPLETED)
    made.wait(SECONDS)
    made.close()


def test_messages_that_no_card_knows_do_nothing(caplog: pytest.LogCaptureFixture) -> None:
    picker = Picker(Shelf(), "what")
    for message in ("nonsense", {"kind": ["search"]}, {"kind": "delete everything"}, None):
        ask(picker, message)
    assert picker.answer == {"text": "", "options": [], "error": ""}
    assert len(caplog.records) == 4
    with pytest.raises(TypeError, match="Did you mean 'title'"):
        FormHead(titel="x")
