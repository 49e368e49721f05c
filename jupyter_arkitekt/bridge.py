"""The one background event loop and the doors to it.

Everything that talks to a server is written once, as a coroutine. It runs on one event loop, on a daemon thread of its
own, so that connections outlive a cell, widget callbacks of any thread can use them, and a kernel whose own loop is
busy with a cell still answers. There are three doors: `sync` blocks the caller, `on_loop` awaits from any other loop,
`spawn` does not wait.

Waiting can be interrupted: on Ctrl-C (and on a timeout, and when an awaiting task is cancelled) the work behind the
door is cancelled first and gets a moment to unwind, then the interrupt goes on. Otherwise it would live on unseen.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextvars
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from jupyter_arkitekt.errors import BridgeError, DeadlineError

T = TypeVar("T")

__all__ = ["at_close", "loop", "on_loop", "spawn", "sync"]

_logger = logging.getLogger(__name__)

THREAD_NAME = "arkitekt-bridge"

#: Seconds that cancelled work gets to unwind before the interrupt goes on without it.
GRACE = 5.0

#: Seconds between two looks at a signal where waiting on a lock cannot be interrupted (Windows).
_SLICE = 0.5 if os.name == "nt" else threading.TIMEOUT_MAX

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
#: Loops of a parent process. Closing one would take its descriptors out of the selector that both processes share.
_left_behind: list[asyncio.AbstractEventLoop] = []
_closers: list[Callable[[], Awaitable[None]]] = []


def loop() -> asyncio.AbstractEventLoop:
    """Return the background loop, made and started on first use."""
    global _loop, _thread
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=_serve, args=(_loop,), name=THREAD_NAME, daemon=True)
            _thread.start()
        return _loop


def sync(coro: Coroutine[Any, Any, T], *, timeout: float | None = None) -> T:
    """Run `coro` on the background loop and return its result; the caller blocks.

    Parameters
    ----------
    coro
        Coroutine; runs in a copy of the caller's context variables.
    timeout
        Seconds until the work is cancelled, ``None`` for no limit.

    Raises
    ------
    BridgeError
        If called on the background loop's own thread, which would wait for itself.
    DeadlineError
        If `timeout` passed first.
    KeyboardInterrupt
        If the person pressed Ctrl-C; the work has been cancelled by then.
    """
    if threading.current_thread() is _thread:
        name = getattr(coro, "__qualname__", "the coroutine")
        coro.close()
        raise BridgeError(
            f"{name} was called through its blocking door on the background loop's own thread, where it would wait for "
            "itself. Await its twin there: the same name with an 'a' in front."
        )
    work = _Work(coro, None)
    try:
        work.wait(timeout)
    except BaseException:
        # Ctrl-C arrives here, wherever the wait was interrupted.
        work.cancel()
        work.wait(GRACE)
        raise
    if not work.outcome.done():
        work.cancel()
        work.wait(GRACE)
        raise DeadlineError(f"{work.name} did not end within {timeout:g} s and was cancelled.")
    return work.outcome.result()


async def on_loop(coro: Coroutine[Any, Any, T]) -> T:
    """Run `coro` on the background loop and await it from any loop.

    Cancelling the waiter cancels the work. On the background loop itself `coro` is simply awaited.
    """
    if asyncio.get_running_loop() is _loop:
        return await coro
    work = _Work(coro, None)
    waiter = asyncio.wrap_future(work.outcome)
    try:
        return await asyncio.shield(waiter)
    except asyncio.CancelledError:
        if not waiter.done():
            work.cancel()
            await asyncio.wait([waiter], timeout=GRACE)
            if waiter.done() and not waiter.cancelled():
                waiter.exception()  # seen: the cancellation of the waiter is what goes on
        raise


def spawn(coro: Coroutine[Any, Any, T], *, name: str | None = None) -> concurrent.futures.Future[T]:
    """Start `coro` on the background loop from any thread and return a future of it.

    Cancelling the future cancels the work. Nobody looks at an exception unless the caller does.
    """
    work = _Work(coro, name)
    public: concurrent.futures.Future[T] = concurrent.futures.Future()

    def hand_over(outcome: concurrent.futures.Future[T]) -> None:
        if outcome.cancelled():
            public.cancel()
            public.set_running_or_notify_cancel()
        elif public.set_running_or_notify_cancel():
            error = outcome.exception()
            if error is None:
                public.set_result(outcome.result())
            else:
                public.set_exception(error)

    public.add_done_callback(lambda future: work.cancel() if future.cancelled() else None)
    work.outcome.add_done_callback(hand_over)
    return public


def at_close(closer: Callable[[], Awaitable[None]]) -> None:
    """Have `closer` awaited on the background loop before it ends, once however often it is named."""
    if closer not in _closers:
        _closers.append(closer)


class _Work(Generic[T]):
    """One coroutine on the background loop; `outcome` is done when it has unwound, not when it was asked to."""

    def __init__(self, coro: Coroutine[Any, Any, T], name: str | None) -> None:
        self.outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
        self.name = name or getattr(coro, "__qualname__", "The work")
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False
        self._loop = loop()
        self._loop.call_soon_threadsafe(self._begin, coro, contextvars.copy_context())

    def wait(self, seconds: float | None) -> None:
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self.outcome.done():
            left = _SLICE if deadline is None else min(_SLICE, deadline - time.monotonic())
            if left <= 0:
                return
            concurrent.futures.wait([self.outcome], left)

    def cancel(self) -> None:
        if not self.outcome.done() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    def _begin(self, coro: Coroutine[Any, Any, T], context: contextvars.Context) -> None:
        self._task = self._loop.create_task(self._carry(coro), name=self.name, context=context)
        if self._cancelled:
            self._task.cancel()

    def _cancel(self) -> None:
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    async def _carry(self, coro: Coroutine[Any, Any, T]) -> None:
        try:
            result = await coro
        except asyncio.CancelledError:
            self.outcome.cancel()
            self.outcome.set_running_or_notify_cancel()
        except BaseException as error:  # noqa: BLE001 - goes to the waiter; a SystemExit would end the loop for everyone
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(result)


def _serve(background: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(background)
    try:
        background.run_forever()
        pending = asyncio.all_tasks(background)
        for task in pending:
            task.cancel()
        if pending:
            background.run_until_complete(asyncio.wait(pending, timeout=GRACE))
        background.run_until_complete(_run_closers())
        background.run_until_complete(background.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        background.close()


async def _run_closers() -> None:
    closers, _closers[:] = list(_closers), []
    for closer in reversed(closers):
        try:
            async with asyncio.timeout(GRACE):
                await closer()
        except Exception:
            _logger.exception("Closing %s at exit failed", closer)


def _close() -> None:
    """Cancel what still runs and end the loop; called at the interpreter's exit."""
    global _loop, _thread
    with _lock:
        background, thread = _loop, _thread
        _loop = _thread = None
    if background is None or thread is None:
        return
    background.call_soon_threadsafe(background.stop)
    thread.join(GRACE)


def _reset_after_fork() -> None:
    """Forget the parent's loop: its thread does not exist in this process."""
    global _lock, _loop, _thread
    _lock = threading.Lock()
    if _loop is not None:
        _left_behind.append(_loop)
    _loop = _thread = None
    _closers.clear()


atexit.register(_close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
