"""Words of rekuest: actions, the agents that host them, and tasks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from jupyter_arkitekt.models._base import WireModel
from jupyter_arkitekt.models._ports import (
    ArgPort,
    AssignWidget,
    Choice,
    ChoiceAssignWidget,
    CustomAssignWidget,
    Port,
    PortKind,
    ReturnPort,
    SearchAssignWidget,
    SliderAssignWidget,
    StringAssignWidget,
    Validator,
)
from jupyter_arkitekt.models._selection import Selection

__all__ = [
    "Action",
    "ActionKind",
    "Agent",
    "AgentOffer",
    "App",
    "ArgPort",
    "AssignWidget",
    "Choice",
    "ChoiceAssignWidget",
    "CustomAssignWidget",
    "Definition",
    "EventKind",
    "Host",
    "Implementation",
    "Offer",
    "Port",
    "PortKind",
    "ReturnPort",
    "SearchAssignWidget",
    "SliderAssignWidget",
    "StringAssignWidget",
    "Task",
    "TaskChange",
    "TaskChangeEvent",
    "TaskEvent",
    "TaskEventChange",
    "Validator",
]


class ActionKind(StrEnum):
    """Whether an action gives one result or a stream of them."""

    FUNCTION = "FUNCTION"
    GENERATOR = "GENERATOR"


class EventKind(StrEnum):
    """What can happen to a task."""

    BOUND = "BOUND"
    QUEUED = "QUEUED"
    STARTED = "STARTED"
    PROGRESS = "PROGRESS"
    DELEGATE = "DELEGATE"
    UNASSIGN = "UNASSIGN"
    DISCONNECTED = "DISCONNECTED"
    YIELD = "YIELD"
    COMPLETED = "COMPLETED"
    LOG = "LOG"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    INTERRUPTING = "INTERRUPTING"
    INTERRUPTED = "INTERRUPTED"
    PAUSING = "PAUSING"
    PAUSED = "PAUSED"
    RESUMING = "RESUMING"
    RESUMED = "RESUMED"
    FAILED = "FAILED"
    CRITICAL = "CRITICAL"
    UNKNOWN = "UNKNOWN"
    """An event that a newer server knows and we do not."""

    @classmethod
    def _missing_(cls, value: object) -> EventKind | None:
        return cls.UNKNOWN if isinstance(value, str) else None

    @property
    def terminal(self) -> bool:
        """Whether a task is done with this event."""
        return self in _TERMINAL

    @property
    def status(self) -> bool:
        """Whether the event changes a task's status, and not only tells something about it."""
        return self not in _TELLING


_TERMINAL = frozenset(
    {EventKind.COMPLETED, EventKind.FAILED, EventKind.CRITICAL, EventKind.CANCELLED, EventKind.INTERRUPTED}
)
_TELLING = frozenset(
    {EventKind.PROGRESS, EventKind.LOG, EventKind.YIELD, EventKind.BOUND, EventKind.DELEGATE, EventKind.UNKNOWN}
)


class Definition(WireModel):
    """What a function takes and gives, as it is offered to a deployment."""

    key: str
    version: str = "1"
    name: str
    description: str | None = None
    kind: ActionKind = ActionKind.FUNCTION
    args: list[ArgPort] = Field(default_factory=list)
    returns: list[ReturnPort] = Field(default_factory=list)
    port_groups: list[Any] = Field(default_factory=list)
    collections: list[str] = Field(default_factory=list)
    is_test_for: list[dict[str, str]] = Field(default_factory=list)
    is_dev: bool = False
    stateful: bool = False


class Offer(WireModel):
    """An agent's offer to run a definition under the name `interface`."""

    definition: Definition
    interface: str
    dependencies: list[Any] = Field(default_factory=list)
    tracks: list[Any] = Field(default_factory=list)
    locks: list[str] = Field(default_factory=list)
    optimistics: list[Any] = Field(default_factory=list)
    manipulates: list[str] = Field(default_factory=list)
    needs_token: bool = True


class AgentOffer(WireModel):
    """Everything an agent offers; replaces what it offered before."""

    name: str
    implementations: list[Offer] = Field(default_factory=list)
    states: list[Any] = Field(default_factory=list)
    locks: list[Any] = Field(default_factory=list)
    bloks: list[Any] = Field(default_factory=list)
    hash: str | None = None


class App(WireModel):
    """An app, whatever its version."""

    identifier: str = ""


class Action(WireModel):
    """A function that somebody offers.

    Attributes
    ----------
    id
        Identity on this deployment, the same for every version of its ports.
    hash
        Digest of the definition, the same on every deployment.
    key, version, app
        The function's name in the app that defined it.
    args, returns
        Its ports, in order.
    """

    id: str
    hash: str = ""
    key: str = ""
    version: str = ""
    name: str
    description: str | None = None
    kind: ActionKind = ActionKind.FUNCTION
    app: App | None = None
    is_dev: bool = False
    stateful: bool = False
    args: list[ArgPort] = Field(default_factory=list)
    returns: list[ReturnPort] = Field(default_factory=list)

    def __repr__(self) -> str:
        args = ", ".join(f"{port.key}: {_say(port)}" for port in self.args)
        returns = ", ".join(_say(port) for port in self.returns) or "nothing"
        app = f", of {self.app.identifier}" if self.app and self.app.identifier else ""
        return f"<Action {self.id} {self.name!r}{app}: ({args}) -> {returns}>"


def _say(port: ArgPort | ReturnPort) -> str:
    word = {PortKind.STRUCTURE: port.identifier, PortKind.ENUM: " | ".join(c.label for c in port.choices or ())}.get(
        port.kind
    ) or port.kind.value.lower()
    if port.default is not None:
        return f"{word} = {port.default!r}"
    return f"{word} | None" if port.nullable else word


class Agent(WireModel):
    """A connected app that hosts functions; `active` means that it can be given work now."""

    id: str
    name: str = ""
    hash: str = ""
    connected: bool = False
    active: bool = False
    last_seen: datetime | None = None


class Implementation(WireModel):
    """An agent's offer to run an action, as a deployment tells of it."""

    id: str
    interface: str = ""
    action: Action


class Host(WireModel):
    """An implementation seen from its agent's side: who could run an action."""

    id: str
    interface: str = ""
    agent: Agent


class TaskEvent(WireModel):
    """Something that happened to a task.

    Attributes
    ----------
    progress
        Percent, 0 to 100.
    returns
        Values of the return ports as they are on the wire.
    """

    id: str
    kind: EventKind
    message: str | None = None
    progress: int | None = None
    returns: Any = None
    level: str | None = None
    created_at: datetime | None = None


class ActionName(WireModel):
    """An action by name only."""

    id: str
    name: str
    key: str = ""


class Task(WireModel):
    """The record of a task on the server."""

    id: str
    reference: str | None = None
    is_done: bool = False
    latest_event_kind: EventKind = EventKind.UNKNOWN
    args: Any = None
    action: ActionName | None = None
    agent: Agent | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None
    events: Annotated[list[TaskEvent], Selection(arguments="(ordering: [{createdAt: ASC}])")] = Field(
        default_factory=list
    )

    def __repr__(self) -> str:
        name = f" {self.action.name!r}" if self.action else ""
        began = f", {self.created_at:%Y-%m-%d %H:%M:%S}" if self.created_at else ""
        took = ""
        if self.created_at and self.finished_at:
            took = f", took {(self.finished_at - self.created_at).total_seconds():.3g} s"
        said = next((e.message for e in reversed(self.events) if e.kind.terminal and e.message), None)
        return f"<Task {self.id}{name} {self.latest_event_kind}{began}{took}{': ' + said if said else ''}>"


class TaskChange(WireModel):
    """A task as the feed announces it."""

    id: str
    reference: str | None = None
    is_done: bool = False
    latest_event_kind: EventKind = EventKind.UNKNOWN


class TaskEventChange(WireModel):
    """An event as the feed tells it: a `TaskEvent` that says whose."""

    id: str
    task: str
    kind: EventKind
    message: str | None = None
    progress: int | None = None
    returns: Any = None
    created_at: datetime | None = None


class TaskChangeEvent(WireModel):
    """One message of the feed: a new task, or an event of one."""

    create: TaskChange | None = None
    event: TaskEventChange | None = None
