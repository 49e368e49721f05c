"""The doors of the background loop."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import subprocess
import sys
import threading

import pytest

from jupyter_arkitekt import bridge
from jupyter_arkitekt.errors import BridgeError, DeadlineError

_INTERRUPTED = """
import asyncio, os, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from jupyter_arkitekt import bridge

async def work():
    print("began", flush=True)
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        await asyncio.sleep(0.05)
        print("unwound", flush=True)
        raise

try:
    bridge.sync(work())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


async def _add(left: int, right: int) -> int:
    await asyncio.sleep(0)
    return left + right


def test_each_door_returns_what_the_coroutine_returns() -> None:
    assert bridge.sync(_add(1, 2)) == 3
    assert bridge.spawn(_add(3, 4)).result(30) == 7
    assert asyncio.run(bridge.on_loop(_add(5, 6))) == 11


def test_all_work_runs_on_the_one_background_thread() -> None:
    async def where() -> str:
        return threading.current_thread().name

    assert bridge.sync(where()) == bridge.spawn(where()).result(30) == bridge.THREAD_NAME


def test_an_exception_comes_out_of_the_door() -> None:
    async def fail() -> None:
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        bridge.sync(fail())


def test_the_callers_context_variables_are_seen() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    async def read() -> str:
        return variable.get()

    token = variable.set("mine")
    assert bridge.sync(read()) == "mine"
    variable.reset(token)


def test_the_blocking_door_on_the_loops_own_thread_is_refused_with_advice() -> None:
    async def wrong() -> int:
        return bridge.sync(_add(1, 1))

    with pytest.raises(BridgeError, match="Await its twin"):
        bridge.sync(wrong())


def test_a_timeout_cancels_the_work_behind_the_door() -> None:
    unwound = threading.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            unwound.set()

    with pytest.raises(DeadlineError):
        bridge.sync(work(), timeout=0.05)
    assert unwound.wait(30)


async def test_cancelling_the_waiter_cancels_the_work() -> None:
    began, unwound = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.sleep(600)
        finally:
            unwound.set()

    waiter = asyncio.create_task(bridge.on_loop(work()))
    assert await asyncio.to_thread(began.wait, 30)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert unwound.is_set()


def test_ctrl_c_cancels_the_work_first_and_is_raised_then() -> None:
    process = subprocess.Popen([sys.executable, "-c", _INTERRUPTED], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "began\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "unwound\ninterrupted\n"
    assert process.wait(60) == 0
