"""An agent as the broker knows it: who it is, whether it is there, what it runs, what it has still to be told."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Protocol

from jupyter_arkitekt.server.rekuest._party import Party
from jupyter_arkitekt.server.rekuest._task import Task
from jupyter_arkitekt.server.rekuest._timing import Timing

#: Reports of one process that are remembered to tell a resent one from a new one.
_REMEMBERED = 4096


@dataclass(slots=True)
class Frame:
    """A frame that waits to be sent.

    Attributes
    ----------
    task
        Number of the task that this frame starts, ``None`` for every other frame.
    volatile
        Of no use on another connection.
    """

    text: str
    task: int | None = None
    volatile: bool = False


class Link(Protocol):
    """The open socket of an agent."""

    def wake(self) -> None:
        """Say that frames wait to be sent."""

    def hang_up(self, code: int, reason: str) -> None:
        """Close the socket."""


@dataclass(slots=True)
class Seat:
    """One agent.

    Attributes
    ----------
    session
        Process of the agent that registered last.
    link
        Its socket, ``None`` while it is away.
    outbox
        Frames in the order in which they have to be sent.
    open
        Its tasks that have not ended, by number.
    last_seen
        Time of its last sign of life, seconds since the epoch.
    left
        Monotonic time at which the connection broke; ``None`` if it said goodbye, or was never there.
    """

    id: int
    party: Party
    name: str
    blocked: bool = False
    session: str | None = None
    last_seen: float | None = None
    link: Link | None = None
    outbox: deque[Frame] = field(default_factory=deque)
    open: dict[int, Task] = field(default_factory=dict)
    left: float | None = None
    timer: asyncio.TimerHandle | None = None
    _seen: OrderedDict[int, None] = field(default_factory=OrderedDict)

    def is_live(self, timing: Timing) -> bool:
        """Say whether the agent is connected and answers."""
        return self.link is not None and not self.blocked and time.time() - (self.last_seen or 0) < timing.stale

    def is_expected(self, timing: Timing) -> bool:
        """Say whether the connection broke a moment ago, so that the agent is about to come back."""
        return (
            self.link is None
            and not self.blocked
            and self.left is not None
            and time.monotonic() - self.left < timing.away
        )

    def send(self, frame: Frame) -> None:
        """Put `frame` into the outbox; what is of no use later is dropped while the agent is away."""
        if frame.volatile and self.link is None:
            return
        self.outbox.append(frame)
        if self.link is not None:
            self.link.wake()

    def waiting(self) -> set[int]:
        """Return the numbers of the tasks whose ``ASSIGN`` was not sent yet."""
        return {frame.task for frame in self.outbox if frame.task is not None}

    def withdraw(self, task: Task) -> bool:
        """Take the ``ASSIGN`` of `task` out of the outbox; ``False`` if it was sent already."""
        for frame in self.outbox:
            if frame.task == task.id:
                self.outbox.remove(frame)
                return True
        return False

    def is_repeated(self, seq: int | None) -> bool:
        """Remember the number of a report, and say whether it came before."""
        if seq is None:
            return False
        if seq in self._seen:
            return True
        self._seen[seq] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def new_process(self, session: str) -> None:
        """Forget what belonged to the process before."""
        self.session = session
        self._seen.clear()

    def stop_timer(self) -> None:
        """Do not wait for the agent any longer."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
