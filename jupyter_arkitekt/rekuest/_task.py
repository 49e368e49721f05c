"""A call that is under way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from jupyter_arkitekt import bridge
from jupyter_arkitekt.errors import ArkitektError, DeadlineError, ServerError, TaskCancelledError, TaskFailedError
from jupyter_arkitekt.models.rekuest import Action, ActionKind, EventKind, TaskEvent
from jupyter_arkitekt.rekuest._structures import StructureRegistry, structures
from jupyter_arkitekt.rekuest._values import unpack_returns

__all__ = ["Task"]

logger = logging.getLogger("jupyter_arkitekt.rekuest")

#: Seconds that an agent gets to confirm a cancellation before the task is interrupted, and then once more.
CANCEL_PATIENCE = 5.0

#: The same where somebody pressed Ctrl-C and waits for their prompt.
ABANDON_PATIENCE = 1.8


class Line(Protocol):
    """The way on which a task is called and watched."""

    async def assign(self, task: Task) -> None:
        """Send the call and bind the task to its id."""

    async def stop(self, task: Task, *, now: bool) -> None:
        """Cancel the task on the server, or interrupt it `now`."""

    async def refresh(self, task: Task) -> None:
        """Bring the task what it missed."""


class Task:
    """A call that is under way, or was.

    Attributes
    ----------
    id
        Identity on the server; empty until the server has taken the call.
    reference
        Our own name of it.
    action
        What was called.
    args
        Its arguments as they are on the wire.
    status
        The last event that changed its state: ``STARTED``, ``COMPLETED``, …
    progress
        Percent, ``None`` until the body says something.
    message
        What the body, or the error, said last.
    logs
        Lines that the body logged, each a level and a text.
    """

    def __init__(
        self,
        action: Action,
        args: dict[str, Any],
        line: Line,
        *,
        registry: StructureRegistry = structures,
    ) -> None:
        self.id = ""
        self.reference = str(uuid.uuid4())
        self.action = action
        self.args = args
        self.status = EventKind.STARTED
        self.progress: int | None = None
        self.message: str | None = None
        self.logs: list[tuple[str, str]] = []
        self._line = line
        self._registry = registry
        self._events: dict[str, TaskEvent] = {}
        self._yields: dict[str, Any] = {}
        self._observers: list[Callable[[TaskEvent], None]] = []
        self._ended = asyncio.Event()
        self._error: ArkitektError | None = None
        self._gap = False

    def __repr__(self) -> str:
        percent = f" {self.progress} %" if self.progress is not None and not self.done else ""
        said = f": {self.message}" if self.message else ""
        return f"<Task {self.id or 'without id'} {self.action.name!r} {self.status}{percent}{said}>"

    @property
    def done(self) -> bool:
        """Whether the task has ended, well or not."""
        return self._ended.is_set()

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the end and return the result.

        Ctrl-C ends the waiting, not the task; use `cancel` for that.

        Parameters
        ----------
        timeout
            Seconds to wait, ``None`` for no limit. The task goes on when they are over.

        Returns
        -------
        object
            ``None``, the one result, or a tuple of them; of an action that yields a list of those.

        Raises
        ------
        TaskFailedError
            If the function raised, its arguments did not fit, or its agent went away.
        TaskCancelledError
            If the task was cancelled.
        DeadlineError
            If `timeout` passed first.
        ConnectError
            If the platform was lost for good while waiting.
        """
        return bridge.sync(self._result(timeout))

    async def aresult(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - the twin's signature
        """Async twin of `result`."""
        return await bridge.on_loop(self._result(timeout))

    def cancel(self) -> None:
        """Cancel the task and wait until it has ended; interrupt it if it does not stop by itself.

        A task that has ended already is left alone.

        Raises
        ------
        DeadlineError
            If the agent does not confirm it in time.
        """
        bridge.sync(self._cancel(CANCEL_PATIENCE))

    async def acancel(self) -> None:
        """Async twin of `cancel`."""
        await bridge.on_loop(self._cancel(CANCEL_PATIENCE))

    def observe(self, callback: Callable[[TaskEvent], None]) -> Callable[[], None]:
        """Have `callback` told each event, also those that have happened already; return the function that ends it.

        It is called on the thread of the background loop, must not block, and finds this task up to date.
        """
        bridge.loop().call_soon_threadsafe(self._observe, callback)

        def unobserve() -> None:
            bridge.loop().call_soon_threadsafe(self._unobserve, callback)

        return unobserve

    # -- on the background loop

    def bind(self, id_: str) -> None:
        """Note the task's identity on the server."""
        self.id = id_

    def take(self, event: TaskEvent) -> None:
        """Take an event; one that is known already is ignored, and so is what comes after the end."""
        if event.id in self._events:
            return
        self._events[event.id] = event
        match event.kind:
            case EventKind.YIELD:
                self._yields[event.id] = event.returns
            case EventKind.PROGRESS:
                self.progress = event.progress if event.progress is not None else self.progress
                self.message = event.message or self.message
            case EventKind.LOG:
                self.logs.append((event.level or "INFO", event.message or ""))
        if event.kind.status and not self.done:
            self.status = event.kind
            if event.kind.terminal or event.kind is EventKind.DISCONNECTED:
                self.message = event.message or self.message
                self._ended.set()
        for callback in list(self._observers):
            self._tell(callback, event)

    def merge(self, events: Iterable[TaskEvent]) -> None:
        """Take the server's record of all events so far, in order."""
        record = list(events)
        for event in record:
            self.take(event)
        order = {event.id: index for index, event in enumerate(record)}
        self._yields = dict(sorted(self._yields.items(), key=lambda item: order.get(item[0], len(order))))
        self._gap = False

    def mark_gap(self) -> None:
        """Note that events may have been missed, so that the record is looked at before a result is given."""
        self._gap = True

    def fail(self, error: ArkitektError) -> None:
        """End without an answer of the server."""
        if not self.done:
            self._error = error
            self.message = str(error)
            self._ended.set()
            event = TaskEvent(id=f"lost-{self.reference}", kind=EventKind.UNKNOWN, message=str(error))
            for callback in list(self._observers):
                self._tell(callback, event)

    async def send(self) -> None:
        """Send the call; a call that is interrupted on its way is cancelled as soon as it has arrived."""
        sending = asyncio.ensure_future(self._line.assign(self))
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            with contextlib.suppress(ArkitektError, TimeoutError):
                await asyncio.wait_for(sending, ABANDON_PATIENCE)
                await self.abandon()
            raise

    async def wait(self) -> Any:
        """Wait for the result; whoever stops waiting cancels the task."""
        try:
            return await self._result(None)
        except asyncio.CancelledError:
            await self.abandon()
            raise

    async def abandon(self) -> None:
        """Cancel the task because nobody waits for it any more."""
        try:
            await self._cancel(ABANDON_PATIENCE)
        except ArkitektError as error:
            logger.warning("%r may still be running: %s", self, error)

    async def _result(self, seconds: float | None) -> Any:
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            raise DeadlineError(
                f"{self.action.name!r} (task {self.id}) has not ended within {seconds:g} s. It goes on; cancel() ends it."
            ) from None
        if self._error is not None:
            raise self._error
        who = f"{self.action.name!r} (task {self.id})"
        match self.status:
            case EventKind.COMPLETED:
                return await self._returned()
            case EventKind.CANCELLED | EventKind.INTERRUPTED:
                raise TaskCancelledError(f"{who} was cancelled.")
            case EventKind.DISCONNECTED:
                raise TaskFailedError(
                    f"{who}: the app that ran it went away. Whether it finished is unknown; tasks() tells later."
                )
        failed = TaskFailedError(f"{who} failed: {self.message or 'the app that ran it did not say why'}")
        trace = next((text for _, text in reversed(self.logs) if text.startswith("Traceback ")), None)
        if trace is not None:
            failed.add_note(f"Where it failed, in the app that ran it:\n{trace.rstrip()}")
        raise failed

    async def _returned(self) -> Any:
        if self._gap or (self.action.returns and not self._yields):
            await self._line.refresh(self)
        ports = self.action.returns
        if self.action.kind is ActionKind.GENERATOR:
            return [await unpack_returns(ports, one, self._registry) for one in self._yields.values()]
        last = next(reversed(self._yields.values()), None)
        if ports and last is None:
            raise TaskFailedError(f"{self.action.name!r} (task {self.id}) ended without the result it promised.")
        return await unpack_returns(ports, last, self._registry)

    async def _cancel(self, patience: float) -> None:
        for now in (False, True):
            if self.done:
                return
            try:
                await self._line.stop(self, now=now)
            except ServerError:
                # It may have ended in the meantime; then there is nothing to cancel.
                await self._line.refresh(self)
                if not self.done:
                    raise
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), patience)
        if not self.done:
            raise DeadlineError(
                f"{self.action.name!r} (task {self.id}) was told to stop, and its app did not confirm it within "
                f"{2 * patience:g} s. It may still be running."
            )

    def _observe(self, callback: Callable[[TaskEvent], None]) -> None:
        self._observers.append(callback)
        for event in list(self._events.values()):
            self._tell(callback, event)

    def _unobserve(self, callback: Callable[[TaskEvent], None]) -> None:
        with contextlib.suppress(ValueError):
            self._observers.remove(callback)

    def _tell(self, callback: Callable[[TaskEvent], None], event: TaskEvent) -> None:
        try:
            callback(event)
        except Exception:
            logger.exception("An observer of %r failed", self)
