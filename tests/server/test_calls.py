"""Calling functions that run in another process, over a real platform."""

from __future__ import annotations

import asyncio
import enum
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import xarray as xr

from jupyter_arkitekt import bridge
from jupyter_arkitekt.app import App, easy
from jupyter_arkitekt.errors import (
    ArgumentError,
    CallError,
    DeadlineError,
    NotFoundError,
    TaskCancelledError,
    TaskFailedError,
)
from jupyter_arkitekt.mikro import Image, from_xarray
from jupyter_arkitekt.models.rekuest import EventKind, SearchAssignWidget, TaskEvent
from jupyter_arkitekt.rekuest import Task, _task, acall, actions, astart, call, find, start, tasks
from jupyter_arkitekt.testing import Served, hosting, wait_for, wait_for_action

FUNCTIONS = '''
import asyncio, enum, time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated
from annotated_types import Interval
from jupyter_arkitekt.mikro import Image
from jupyter_arkitekt.rekuest import call, log, progress, register

class Mode(enum.Enum):
    FAST = 1
    SLOW = 2

@register
def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b

@register
def mixed(x: float, mode: Mode = Mode.FAST, names: list[str] | None = None) -> tuple[str, float, bool]:
    return f"{type(mode).__name__}.{mode.name} {names}", x * 2, isinstance(x, float)

@register
def nothing() -> None:
    print("this goes to the host's own terminal")

@register
def bounded(level: Annotated[int, Interval(ge=1, le=5)]) -> int:
    return level

@register
def boom(text: str) -> None:
    raise ValueError(text)

@register
def lies() -> int:
    return "no number"

@register(concurrency="parallel")
def steps(count: int, seconds: float = 0.0) -> str:
    try:
        for step in range(count):
            progress(100 * step / count, f"step {step}")
            time.sleep(seconds)
        log("all steps done", "WARN")
        return "done"
    finally:
        log("cleaned up")

@register
def mute() -> None:
    while True:
        time.sleep(0.01)

@register
def deaf(seconds: float) -> None:
    progress(1)
    time.sleep(seconds)

@register
async def asynchronous(seconds: float) -> str:
    progress(50)
    await asyncio.sleep(seconds)
    return "slept"

@register
def count(to: int) -> Iterator[int]:
    yield from range(to)

@register
async def acount(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number

@register
def brightest(image: Image, others: list[Image] | None = None) -> tuple[int, Image]:
    return int(image.data.max().compute()), (others or [image])[-1]

@register
def outer(a: int) -> int:
    return call("add", a, 100)

@register
def outer_slow() -> str:
    return call("steps", 1000, 0.05)
'''


class Mode(enum.Enum):
    FAST = 1
    SLOW = 2


@pytest.fixture(scope="module")
def app(platform: Served) -> Iterator[App]:
    with easy("test.caller", url=platform.url, redeem_token=platform.redeem_token()) as entered:
        yield entered


@pytest.fixture(scope="module", autouse=True)
def host(platform: Served, app: App) -> Iterator[None]:
    with hosting(platform, FUNCTIONS, identifier="test.calls"):
        wait_for_action("add")
        yield


def saw(task: Task, kind: EventKind, seconds: float = 60) -> None:
    """Return once the task has had such an event."""
    found = threading.Event()
    unobserve = task.observe(lambda event: found.set() if event.kind is kind else None)
    assert found.wait(seconds), f"{task} had no {kind}"
    unobserve()


def test_a_function_is_called_by_name_key_id_hash_and_action() -> None:
    action = find("Add")
    assert (action.key, action.name, action.description) == ("add", "Add", "Add two numbers.")
    for what in ("Add", "add", action.id, int(action.id), action.hash, action):
        assert call(what, 40) == 42
    assert call("add", b=1, a=1) == 2
    assert find("  ADD ") == action


def test_every_kind_of_value_arrives_and_comes_back() -> None:
    assert call("mixed", 20) == ("Mode.FAST None", 40.0, True)
    assert call("mixed", 1.5, Mode.SLOW, ["a", "b"]) == ("Mode.SLOW ['a', 'b']", 3.0, True)
    assert call("mixed", 1.5, mode="SLOW") == ("Mode.SLOW None", 3.0, True)
    assert call("nothing") is None


def test_an_image_goes_and_comes_back_as_itself() -> None:
    pixels = np.arange(24 * 16, dtype=np.uint16).reshape(24, 16)
    image = from_xarray(xr.DataArray(pixels, dims=("y", "x")), name="Goes")
    other = from_xarray(xr.DataArray(pixels, dims=("y", "x")), name="Comes")
    most, back = call("brightest", image, [image, other.id])
    assert most == pixels.max()
    assert isinstance(back, Image)
    assert (back.id, back.name) == (other.id, "Comes")
    widget = find("brightest").args[0].widget
    assert isinstance(widget, SearchAssignWidget)
    assert widget.ward == "mikro"
    with pytest.raises(TaskFailedError, match="'image': the @mikro/image 999999 could not be fetched"):
        call("brightest", 999999)


def test_generators_of_both_kinds_give_a_list_in_order() -> None:
    assert call("count", 50) == list(range(50))
    assert call("acount", 3) == [0, 1, 2]


def test_a_value_of_the_wrong_type_is_refused_here_with_its_ports_name() -> None:
    before = tasks(1)[0].id
    wrong: list[tuple[tuple[object, ...], dict[str, object], str, str]] = [
        (("abc",), {}, "a", "'a' (INT) got 'abc' (str): a whole number is needed."),
        ((1,), {"b": []}, "b", "'b' (INT) got [] (list)"),
        ((), {}, "a", "'Add': the argument 'a' is missing. It takes: a, b."),
        ((1,), {"c": 1}, "c", "'Add' has no argument 'c'"),
    ]
    for args, kwargs, port, told in wrong:
        with pytest.raises(ArgumentError) as caught:
            call("add", *args, **kwargs)
        assert caught.value.port == port
        assert str(caught.value).startswith(told)
    with pytest.raises(ArgumentError, match="must be at most 5"):
        call("bounded", 6)
    assert tasks(1)[0].id == before, "nothing was sent"


def test_arguments_that_slip_through_are_refused_by_the_host(app: App) -> None:
    async def send() -> str:
        data = await app.service("rekuest").execute(
            "mutation($input: AssignInput!) { assign(input: $input) { id } }",
            {"input": {"action": find_id, "args": {"a": "abc"}, "capture": False, "cached": False, "log": False,
                       "ephemeral": False}},
        )  # fmt: skip
        return str(data["assign"]["id"])

    find_id = find("add").id
    id_ = bridge.sync(send())

    def ended() -> bool:
        return next(task for task in tasks(5) if task.id == id_).is_done

    wait_for(ended, 60, "the task to end")
    record = next(task for task in tasks(5) if task.id == id_)
    assert record.latest_event_kind is EventKind.FAILED
    assert "'a' (INT) got 'abc'" in repr(record)


def test_an_exception_is_told_with_its_type_and_the_hosts_traceback_is_in_the_logs() -> None:
    task = start("boom", "told so")
    with pytest.raises(TaskFailedError, match=r"'Boom' \(task \d+\) failed: ValueError: told so") as caught:
        task.result(60)
    assert "raise ValueError(text)" in caught.value.__notes__[0]
    assert task.status is EventKind.CRITICAL
    level, trace = task.logs[-1]
    assert level in ("ERROR", "INFO")  # the feed of the wire tells no level
    assert "Traceback" in trace
    assert "raise ValueError(text)" in trace
    assert "jupyter_arkitekt/rekuest" not in trace, "our own frames say nothing to a caller"


def test_a_result_that_does_not_fit_its_port_is_a_failure() -> None:
    with pytest.raises(TaskFailedError, match=r"The result cannot be sent: 'return0' \(INT\) got 'no number'"):
        call("lies")


def test_progress_and_logs_arrive_in_order_also_for_a_late_observer() -> None:
    task = start("steps", 5, 0.06)
    seen: list[TaskEvent] = []
    task.observe(seen.append)
    assert task.result(60) == "done"
    late: list[TaskEvent] = []
    saw(task, EventKind.COMPLETED)
    task.observe(late.append)
    saw(task, EventKind.COMPLETED)
    assert [event.progress for event in seen if event.kind is EventKind.PROGRESS] == [0, 20, 40, 60, 80]
    assert [event.message for event in seen if event.kind is EventKind.PROGRESS][-1] == "step 4"
    assert [text for _, text in task.logs] == ["all steps done", "cleaned up"]
    assert seen[-1].kind is EventKind.COMPLETED
    assert late == seen
    assert repr(task).startswith(f"<Task {task.id} 'Steps' COMPLETED")


def test_progress_that_comes_too_fast_is_thinned_out_and_its_last_word_arrives() -> None:
    task = start("steps", 2000)
    assert task.result(60) == "done"
    told: list[int | None] = []
    task.observe(lambda event: told.append(event.progress) if event.kind is EventKind.PROGRESS else None)
    saw(task, EventKind.COMPLETED)
    assert told[-1] == 99
    assert len(told) < 500


@pytest.mark.parametrize("what", [("steps", 10_000, 0.01), ("mute",), ("asynchronous", 600.0)], ids=lambda w: w[0])
def test_a_cancelled_task_stops_and_says_so(what: tuple[object, ...]) -> None:
    task = start(str(what[0]), *what[1:])
    if what[0] != "mute":
        saw(task, EventKind.PROGRESS)
    task.cancel()
    assert task.done
    assert task.status is EventKind.CANCELLED
    with pytest.raises(TaskCancelledError, match="was cancelled"):
        task.result(60)
    task.cancel()  # once more does no harm
    if what[0] == "steps":
        assert ("cleaned up" in [text for _, text in task.logs]) or task.status is EventKind.CANCELLED
    assert call("add", 1) == 3, "the host goes on"


def test_a_body_that_hears_nothing_is_interrupted_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_task, "CANCEL_PATIENCE", 6.0)
    task = start("deaf", 600.0)
    saw(task, EventKind.PROGRESS)
    task.cancel()
    assert task.status is EventKind.INTERRUPTED
    with pytest.raises(TaskCancelledError):
        task.result(60)


async def test_cancelling_an_awaited_call_cancels_the_function() -> None:
    calling = asyncio.ensure_future(acall("steps", 10_000, 0.01))

    async def begun() -> str:
        while True:
            latest = await asyncio.to_thread(tasks, 1)
            if (
                latest[0].action
                and latest[0].action.key == "steps"
                and any(event.kind is EventKind.PROGRESS for event in latest[0].events)
            ):
                return latest[0].id
            await asyncio.sleep(0.02)

    id_ = await asyncio.wait_for(begun(), 60)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    record = next(task for task in await asyncio.to_thread(tasks, 3) if task.id == id_)
    assert record.latest_event_kind is EventKind.CANCELLED


def test_ctrl_c_cancels_the_function_first() -> None:
    latest = tasks(1)[0].id

    def press() -> None:
        wait_for(
            lambda: tasks(1)[0].id != latest and any(e.kind is EventKind.PROGRESS for e in tasks(1)[0].events),
            60,
            "the task to begin",
        )
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        call("steps", 10_000, 0.01)
    presser.join()
    assert tasks(1)[0].latest_event_kind is EventKind.CANCELLED


def test_waiting_has_a_deadline_and_the_task_goes_on() -> None:
    task = start("steps", 10, 0.05)
    with pytest.raises(DeadlineError, match=r"has not ended within 0\.01 s\. It goes on"):
        task.result(0.01)
    assert task.result(60) == "done"


async def test_many_calls_at_once_get_their_own_results() -> None:
    results = await asyncio.gather(*(acall("add", number, number) for number in range(40)))
    assert results == [2 * number for number in range(40)]
    task = await astart("add", 1)
    assert await task.aresult(60) == 3


def test_a_call_inside_of_a_function_knows_its_parent_and_is_cancelled_with_it(app: App) -> None:
    async def parents() -> dict[str, str | None]:
        data = await app.service("rekuest").execute("{ tasks { id parent { id } } }")
        return {task["id"]: task["parent"] and task["parent"]["id"] for task in data["tasks"]}

    task = start("outer", 1)
    assert task.result(60) == 101
    assert task.id in bridge.sync(parents()).values()

    slow = start("outer_slow")

    def child() -> str | None:
        return next((id_ for id_, parent in bridge.sync(parents()).items() if parent == slow.id), None)

    wait_for(lambda: child() is not None, 60, "the inner call")
    slow.cancel()
    assert slow.status is EventKind.CANCELLED
    inner = child()
    wait_for(
        lambda: next(one for one in tasks(20) if one.id == inner).latest_event_kind is EventKind.CANCELLED,
        60,
        "the inner call to be cancelled",
    )


def test_what_is_not_there_is_said_with_what_may_have_been_meant() -> None:
    with pytest.raises(NotFoundError, match=r"has no function 'ad'\. Did you mean 'Add'"):
        find("ad")
    with pytest.raises(NotFoundError, match=r"actions\(\) lists the \d+"):
        find("zzzzzzzz")
    with pytest.raises(LookupError):
        find("999999")
    with pytest.raises(ArgumentError, match=r"not registered\. Write @register above it"):
        find(len)
    assert "Add" in [action.name for action in actions()]
    assert [action.name for action in actions("bound")] == ["Bounded"]


def test_one_name_for_two_functions_is_not_guessed(platform: Served) -> None:
    code = (
        "from jupyter_arkitekt.rekuest import register\n"
        "@register(name='Add')\ndef other_add(a: int) -> int:\n    return -a\n"
    )
    with hosting(platform, code, identifier="test.other"):
        wait_for_action("other_add")
        with pytest.raises(CallError, match=r"'Add' means 2 functions here.*of test\.calls.*of test\.other"):
            call("Add", 1)
        assert call("other_add", 1) == -1


def test_tasks_lists_what_was_called_the_latest_first() -> None:
    call("add", 5)
    first, second = tasks(2)
    assert first.action is not None
    assert first.action.name == "Add"
    assert first.args["a"] == 5
    assert int(first.id) > int(second.id)
    assert repr(first).startswith(f"<Task {first.id} 'Add' COMPLETED")
