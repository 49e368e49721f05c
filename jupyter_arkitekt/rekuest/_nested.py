"""Calls that a running body makes: they go over the agent's own socket, so that the server knows their parent.

A child of a body that is cancelled is cancelled as well.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.errors import ArkitektError, DeadlineError, ServerError
from jupyter_arkitekt.models import _messages as m
from jupyter_arkitekt.models.rekuest import EventKind, TaskEvent
from jupyter_arkitekt.rekuest._task import Task

#: Seconds until the server has to answer a request; a restart of the platform fits in.
ANSWER_TIMEOUT = 60.0

#: Events that may overtake the answer which says whose they are.
MAX_EARLY = 1000


class Nested:
    """What all bodies of one agent have called.

    Parameters
    ----------
    request
        Sends a request over the socket, again after a reconnect.
    forget
        Takes a request back.
    record
        Asks the server for the events of a task.
    """

    def __init__(
        self,
        request: Callable[[m.Message], None],
        forget: Callable[[str], None],
        record: Callable[[str], Awaitable[list[TaskEvent]]],
    ) -> None:
        self._request = request
        self._forget = forget
        self._record = record
        self._answers: dict[str, asyncio.Future[m.Message]] = {}
        self._tasks: dict[str, Task] = {}
        self._early: deque[m.Mirror] = deque(maxlen=MAX_EARLY)

    def tell(self, message: m.Message) -> None:
        """Take an answer or an event that the agent received."""
        match message:
            case m.AssignResponse(request=request) | m.ControlResponse(request=request):
                waiting = self._answers.get(request)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case m.Mirror() as mirror:
                task = self._tasks.get(mirror.task)
                if task is not None:
                    self._take(task, mirror)
                elif self._answers:
                    self._early.append(mirror)

    async def catch_up(self) -> None:
        """Bring every call what it missed while the connection was down."""
        for task in list(self._tasks.values()):
            await self.refresh(task)

    async def refresh(self, task: Task) -> None:
        """Bring a call what the server recorded of it."""
        task.merge(await self._record(task.id))
        if task.done:
            self._tasks.pop(task.id, None)

    def fail(self, error: ArkitektError) -> None:
        """End every call, because the agent has ended."""
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(error)
        for task in list(self._tasks.values()):
            task.fail(error)
        self._tasks.clear()

    async def assign(self, task: Task, parent: str) -> None:
        """Send a call of the body of `parent`."""
        answer = await self._ask(
            m.AssignRequest(reference=task.reference, args=task.args, action=task.action.id, parent=parent)
        )
        assert isinstance(answer, m.AssignResponse)
        if answer.task is None:
            raise ServerError(
                f"rekuest refused the call of {task.action.name!r}: {answer.error or 'it did not say why'}",
                detail=answer.error or "",
            )
        task.bind(answer.task)
        self._tasks[answer.task] = task
        early, self._early = self._early, deque(maxlen=MAX_EARLY)
        for mirror in early:
            if mirror.task == answer.task:
                self._take(task, mirror)
            elif self._answers:
                self._early.append(mirror)

    async def stop(self, task: Task, *, now: bool) -> None:
        """Cancel or interrupt a call."""
        request: m.Message = m.InterruptRequest(task=task.id) if now else m.CancelRequest(task=task.id)
        answer = await self._ask(request)
        assert isinstance(answer, m.ControlResponse)
        if not answer.accepted and not task.done:
            raise ServerError(
                f"rekuest refused to stop task {task.id}: {answer.error or 'it did not say why'}",
                detail=answer.error or "",
            )

    async def _ask(self, request: m.Message) -> m.Message:
        waiting: asyncio.Future[m.Message] = asyncio.get_running_loop().create_future()
        self._answers[request.id] = waiting
        try:
            self._request(request)
            async with asyncio.timeout(ANSWER_TIMEOUT):
                return await waiting
        except TimeoutError:
            raise DeadlineError(f"rekuest did not answer {request.type} within {ANSWER_TIMEOUT:g} s.") from None
        finally:
            del self._answers[request.id]
            self._forget(request.id)
            if not self._answers:
                self._early.clear()

    def _take(self, task: Task, mirror: m.Mirror) -> None:
        task.take(
            TaskEvent(
                id=mirror.event or mirror.id,
                kind=EventKind(mirror.kind),
                message=mirror.error or mirror.message,
                progress=mirror.progress,
                returns=mirror.returns,
                level=mirror.level,
            )
        )
        if task.done:
            self._tasks.pop(mirror.task, None)


class Children:
    """The calls of one body: a line that knows their parent."""

    def __init__(self, nested: Nested, parent: str, app: AppLike) -> None:
        self.app = app
        self._nested = nested
        self._parent = parent
        self._open: set[Task] = set()
        self._cancelling: set[asyncio.Task[Any]] = set()

    async def assign(self, task: Task) -> None:
        """Send a call of this body."""
        self._open.add(task)
        await self._nested.assign(task, self._parent)

    async def stop(self, task: Task, *, now: bool) -> None:
        """Cancel or interrupt a call of this body."""
        await self._nested.stop(task, now=now)

    async def refresh(self, task: Task) -> None:
        """Bring a call of this body what the server recorded of it."""
        await self._nested.refresh(task)

    def cancel_all(self) -> None:
        """Cancel what still runs, because the body is stopped."""
        for task in self._open:
            if task.id and not task.done:
                work = asyncio.ensure_future(task.abandon())
                self._cancelling.add(work)
                work.add_done_callback(self._cancelling.discard)
        self._open.clear()
