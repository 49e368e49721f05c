"""What callers and onlookers are told about tasks.

A caller's feed (``mytasks``) must lose nothing: released clients start it in the background while they send their first
call, and a call whose last event was missed waits for ever. So what nobody listened to is kept for a while and handed to
the next listener, and what a listener left unread goes to its successor. Everything is delivered once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from jupyter_arkitekt.server.rekuest._task import Event, Task
from jupyter_arkitekt.server.topics import Overflow, Topics

Message = dict[str, Any]

#: Seconds for which messages wait for a listener, and how many of one caller do.
KEPT_SECONDS = 30.0
KEPT = 10_000

#: Messages that one listener may leave unread.
UNREAD = 100_000


def created(task: Task) -> Message:
    """Return the ``TaskChange`` of `task` as it is now."""
    return {
        "id": task.id,
        "reference": task.reference,
        "isDone": task.is_done,
        "latestEventKind": task.latest_event_kind,
        "latestInstructKind": task.latest_instruct_kind,
        "statusMessage": task.status_message,
        "action": task.action_id,
        "implementation": task.implementation_id,
        "agent": task.agent_id,
        "root": task.root_id,
        "parent": task.parent_id,
        "createdAt": task.created_at,
        "updatedAt": task.updated_at,
        "finishedAt": task.finished_at,
    }


def happened(event: Event) -> Message:
    """Return the ``TaskEventChange`` of `event`."""
    return {
        "id": event.id,
        "task": event.task_id,
        "kind": event.kind,
        "message": event.message,
        "progress": event.progress,
        "returns": event.returns,
        "createdAt": event.created_at,
    }


@dataclass(eq=False, slots=True)
class _Listener:
    unread: deque[Message] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Caller:
    listeners: set[_Listener] = field(default_factory=set)
    kept: deque[tuple[float, Message]] = field(default_factory=deque)

    def drop_old(self) -> None:
        oldest = time.monotonic() - KEPT_SECONDS
        while self.kept and (self.kept[0][0] < oldest or len(self.kept) > KEPT):
            self.kept.popleft()


class Feeds:
    """All feeds about tasks. Used on the loop's thread, after the record was written."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._callers: dict[int, _Caller] = {}

    def create(self, task: Task, change: Message) -> None:
        """Tell everyone that `task` was made; `change` says how it was then."""
        self._tell(task, {"create": change, "event": None})
        if task.parent_id is not None:
            self._topics.publish(("child-tasks", task.parent_id), {"create": change, "update": None})
        self._topics.publish(("agent-tasks", task.agent_id), {"create": change, "update": None})

    def event(self, task: Task, event: Event, change: Message) -> None:
        """Tell everyone that `event` happened to `task`; `change` says how the task was after it."""
        self._tell(task, {"create": None, "event": happened(event)})
        if task.parent_id is not None:
            self._topics.publish(("child-tasks", task.parent_id), {"create": None, "update": change})
        self._topics.publish(("agent-tasks", task.agent_id), {"create": None, "update": change})

    async def mine(self, party_id: int) -> AsyncIterator[Message]:
        """Yield what happens to the root tasks of a caller, beginning with what nobody has heard yet.

        Raises
        ------
        Overflow
            If the listener is too slow.
        """
        caller = self._callers.setdefault(party_id, _Caller())
        caller.drop_old()
        listener = _Listener(deque(message for _, message in caller.kept))
        caller.kept.clear()
        caller.listeners.add(listener)
        try:
            while True:
                while listener.unread:
                    if len(listener.unread) > UNREAD:
                        listener.unread.clear()
                        raise Overflow
                    yield listener.unread.popleft()
                listener.arrived.clear()
                await listener.arrived.wait()
        finally:
            caller.listeners.discard(listener)
            if not caller.listeners:
                now = time.monotonic()
                caller.kept.extend((now, message) for message in listener.unread)
                caller.drop_old()

    def _tell(self, task: Task, message: Message) -> None:
        self._topics.publish(("tasks", task.organisation_id), message)
        if task.root_id is not None:
            return
        caller = self._callers.setdefault(task.party_id, _Caller())
        if caller.listeners:
            for listener in caller.listeners:
                listener.unread.append(message)
                listener.arrived.set()
        else:
            caller.kept.append((time.monotonic(), message))
            caller.drop_old()
