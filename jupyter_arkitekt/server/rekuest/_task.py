"""A task and its states. No input or output: what happens to a task is decided here, and recorded elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

#: Events that end a task.
TERMINAL = frozenset({"COMPLETED", "FAILED", "CRITICAL", "CANCELLED", "INTERRUPTED"})

#: Events that become the task's state; the others only happened.
STATES = TERMINAL | {"STARTED", "PAUSED", "RESUMED", "QUEUED", "DISCONNECTED"}

#: Reports that the agent keeps until they are acknowledged.
ACKED = TERMINAL | {"STARTED", "PAUSED", "RESUMED"}

#: What is recorded when somebody asks for it, before the agent confirms.
ASKED = {"CANCEL": "CANCELLING", "INTERRUPT": "INTERRUPTING", "PAUSE": "PAUSING", "RESUME": "RESUMING"}


@dataclass(slots=True)
class Event:
    """One thing that happened to a task."""

    id: int
    task_id: int
    kind: str
    created_at: float
    message: str | None = None
    progress: int | None = None
    returns: dict[str, Any] | None = None
    level: str = "INFO"

    def row(self) -> dict[str, Any]:
        """Return the columns of this event."""
        return {name: getattr(self, name) for name in _EVENT_COLUMNS}


@dataclass(slots=True)
class Task:
    """One execution of an action by an agent.

    Attributes
    ----------
    session
        Process of the agent that the task was handed to; ``None`` while it waits for one.
    over_socket
        Assigned by an agent from inside of another task: events are mirrored to that agent.
    idempotent, physical
        What the offer said at the time of the call; decides what follows when the agent is lost.
    """

    id: int
    organisation_id: int
    party_id: int
    reference: str
    args: dict[str, Any]
    args_hash: str
    action_id: int
    action_hash: str
    implementation_id: int | None
    agent_id: int | None
    interface: str
    created_at: float
    updated_at: float
    parent_id: int | None = None
    root_id: int | None = None
    dependency: str | None = None
    dependency_method: str | None = None
    dependencies: dict[str, Any] = field(default_factory=dict)
    cleanup_hooks: list[str] = field(default_factory=list)
    resolution: str | None = None
    over_socket: bool = False
    capture: bool = False
    step: bool = False
    ephemeral: bool = False
    idempotent: bool = False
    physical: bool = False
    session: str | None = None
    is_done: bool = False
    latest_event_kind: str = "STARTED"
    latest_instruct_kind: str = "ASSIGN"
    status_message: str | None = None
    finished_at: float | None = None

    def apply(self, event: Event) -> None:
        """Take `event` into the state of the task. A task that has ended does not change any more."""
        if self.is_done:
            raise AssertionError(f"task {self.id} has ended, {event.kind} came too late")
        self.updated_at = event.created_at
        if event.message is not None:
            self.status_message = event.message
        if event.kind in STATES:
            self.latest_event_kind = event.kind
        if event.kind in TERMINAL:
            self.is_done = True
            self.finished_at = event.created_at

    def row(self) -> dict[str, Any]:
        """Return the columns of this task."""
        return {name: getattr(self, name) for name in _TASK_COLUMNS}


_TASK_COLUMNS = tuple(one.name for one in fields(Task))
_EVENT_COLUMNS = tuple(one.name for one in fields(Event))
