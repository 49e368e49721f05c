"""One run of a hosted function, in a thread of its own.

The person's code never runs on the background loop: a plain function runs in the thread, a coroutine function in an
event loop of that thread, so that neither can hold up heartbeats, other tasks or the calls that the body makes itself.

Stopping is asked for first: `progress` and `log` raise `Stopped`, a coroutine is cancelled. A plain function that says
nothing for a while gets `Stopped` raised at its next line. What sits inside a library written in C cannot be stopped at
all; its thread is left to end by itself and its result is dropped.
"""

from __future__ import annotations

import asyncio
import ctypes
import inspect
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from jupyter_arkitekt import bridge
from jupyter_arkitekt.rekuest._current import Stopped

#: Seconds that a plain function may take to reach its next progress() or log() before it is stopped at any line.
PATIENCE = 1.0

Emit = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a body ended: with `value`, with `error`, or because it was `stopped`."""

    value: Any = None
    error: BaseException | None = None
    stopped: bool = False


class Body:
    """A run of `function`.

    Parameters
    ----------
    function
        Function, coroutine function, or generator function of either kind.
    kwargs
        Its arguments.
    emit
        Coroutine function that takes each value of a generator; it runs on the background loop.
    surroundings
        Context manager that is entered around the body, on its thread: what it sets in context variables is seen by
        the body only.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        kwargs: dict[str, Any],
        emit: Emit,
        surroundings: AbstractContextManager[Any],
    ) -> None:
        self._function = function
        self._kwargs = kwargs
        self._emit = emit
        self._surroundings = surroundings
        self._home = asyncio.get_running_loop()
        self._outcome: asyncio.Future[Outcome] = self._home.create_future()
        self._guard = threading.Lock()
        self._ident: int | None = None
        self._inner: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        self.stopping = False

    async def run(self) -> Outcome:
        """Start the thread and wait until it has ended."""
        name = getattr(self._function, "__name__", "body")
        threading.Thread(target=self._main, name=f"arkitekt-body-{name}", daemon=True).start()
        return await asyncio.shield(self._outcome)

    def stop(self, *, now: bool) -> None:
        """Ask the body to stop; with `now` it is not waited for a point where it looks."""
        self.stopping = True
        with self._guard:
            inner = self._inner
            if inner is not None:
                inner[0].call_soon_threadsafe(inner[1].cancel)
        if now:
            self._interrupt()
        else:
            self._home.call_later(PATIENCE, self._interrupt)

    def _interrupt(self) -> None:
        with self._guard:
            if self._ident is not None and self._inner is None:
                _raise_in(self._ident, Stopped)
                self._ident = None  # once is enough

    def _main(self) -> None:
        with self._guard:
            self._ident = threading.get_ident()
        try:
            outcome = self._guarded()
            self._disarm()
        except Stopped:
            # Raised from outside between the body's end and the line above.
            self._disarm()
            outcome = Outcome(stopped=True)
        if not self._home.is_closed():
            self._home.call_soon_threadsafe(self._settle, outcome)

    def _guarded(self) -> Outcome:
        try:
            with self._surroundings:
                return Outcome(value=self._call())
        except Stopped:
            return Outcome(stopped=True)
        except BaseException as error:  # noqa: BLE001 - whatever the person's code raises is told to the caller
            # A body that is stopped often ends by an error of what it was just doing.
            return Outcome(stopped=True) if self.stopping else Outcome(error=error)

    def _disarm(self) -> None:
        with self._guard:
            self._ident = None
        # What was raised from outside and has not arrived yet must not arrive later.
        _raise_in(threading.get_ident(), None)

    def _settle(self, outcome: Outcome) -> None:
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    def _call(self) -> Any:
        if self.stopping:
            raise Stopped
        function, kwargs = self._function, self._kwargs
        if inspect.isasyncgenfunction(function):
            return self._await(self._drain(function(**kwargs)))
        if inspect.isgeneratorfunction(function):
            for value in function(**kwargs):
                bridge.sync(_awaited(self._emit(value)))
            return None
        result = function(**kwargs)
        if inspect.iscoroutine(result):
            return self._await(result)
        return result

    async def _drain(self, stream: Any) -> None:
        async for value in stream:
            await bridge.on_loop(_awaited(self._emit(value)))

    def _await(self, coroutine: Any) -> Any:
        with asyncio.Runner() as runner:
            return runner.run(self._tracked(coroutine))

    async def _tracked(self, coroutine: Any) -> Any:
        task = asyncio.current_task()
        assert task is not None
        with self._guard:
            self._inner = asyncio.get_running_loop(), task
        try:
            if self.stopping:
                coroutine.close()
                raise Stopped
            return await coroutine
        finally:
            with self._guard:
                self._inner = None


async def _awaited(awaitable: Awaitable[None]) -> None:
    await awaitable


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise `error` at the next line of `thread`; ``None`` takes back one that has not arrived."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )
