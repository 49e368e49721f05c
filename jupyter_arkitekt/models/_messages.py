"""Messages of the agent socket: JSON text frames, one message each, told apart by ``type``.

Both ends ignore types and fields that they do not know, so that releases can differ. `to_agent` turns a frame of a
server into a message, ``None`` when its type is unknown.
"""

from __future__ import annotations

import json
import uuid
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


def new_id() -> str:
    """Return a fresh id of a message."""
    return str(uuid.uuid4())


class Message(BaseModel):
    """Base of all messages."""

    # Built when the first one is made: most programs never speak to an agent socket.
    model_config = ConfigDict(extra="ignore", defer_build=True)

    type: str
    id: str = Field(default_factory=new_id)

    def text(self) -> str:
        """Return the frame's text."""
        return json.dumps(self.model_dump(mode="json"), separators=(",", ":"), allow_nan=False)


# -- agent to server


class Register(Message):
    """First frame: who is there. `force` displaces another connection of the same agent."""

    type: Literal["REGISTER"] = "REGISTER"
    token: str = Field(repr=False)
    force: bool = False
    session_id: str | None = None


class SessionInit(Message):
    """Which process this is, and its states."""

    type: Literal["SESSION_INIT"] = "SESSION_INIT"
    session_id: str
    states: dict[str, Any] = Field(default_factory=dict)


class HeartbeatAnswer(Message):
    """The answer to a heartbeat."""

    type: Literal["HEARTBEAT_ANSWER"] = "HEARTBEAT_ANSWER"


class Report(Message):
    """Base of what an agent reports of a task; `seq` grows by one with each report of a process."""

    task: str
    seq: int | None = None


class Started(Report):
    """The body runs."""

    type: Literal["STARTED"] = "STARTED"


class Progress(Report):
    """How far it is: percent, 0 to 100."""

    type: Literal["PROGRESS"] = "PROGRESS"
    progress: int | None = None
    message: str | None = None


class Log(Report):
    """A line that the body says."""

    type: Literal["LOG"] = "LOG"
    message: str
    level: Literal["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"] = "INFO"


class Yield(Report):
    """A result: wire values by return port."""

    type: Literal["YIELD"] = "YIELD"
    returns: dict[str, Any] | None = None


class Completed(Report):
    """The body has ended well."""

    type: Literal["COMPLETED"] = "COMPLETED"


class Failed(Report):
    """The body could not run, or its result could not be sent."""

    type: Literal["FAILED"] = "FAILED"
    error: str


class Critical(Report):
    """The body raised."""

    type: Literal["CRITICAL"] = "CRITICAL"
    error: str


class Cancelled(Report):
    """The body was cancelled."""

    type: Literal["CANCELLED"] = "CANCELLED"


class Interrupted(Report):
    """The body was interrupted."""

    type: Literal["INTERRUPTED"] = "INTERRUPTED"


class AssignRequest(Message):
    """A running body calls another action."""

    type: Literal["ASSIGN_REQUEST"] = "ASSIGN_REQUEST"
    reference: str
    args: dict[str, Any]
    action: str | None = None
    action_hash: str | None = None
    implementation: str | None = None
    parent: str | None = None


class CancelRequest(Message):
    """A running body cancels what it called."""

    type: Literal["CANCEL_REQUEST"] = "CANCEL_REQUEST"
    task: str
    auto_interrupt: float | None = None


class InterruptRequest(Message):
    """A running body interrupts what it called."""

    type: Literal["INTERRUPT_REQUEST"] = "INTERRUPT_REQUEST"
    task: str


TERMINAL = (Completed, Failed, Critical, Cancelled, Interrupted)
"""Reports that end a task; the server acknowledges each."""


# -- server to agent


class Inquiry(BaseModel):
    """A task that the server thinks this process runs."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    task: str


class Init(Message):
    """The agent is registered."""

    type: Literal["INIT"] = "INIT"
    agent: str
    inquiries: list[Inquiry] = Field(default_factory=list)


class Heartbeat(Message):
    """Are you there?"""

    type: Literal["HEARTBEAT"] = "HEARTBEAT"


class Assign(Message):
    """Run `interface` with `args`. `action` is the action's hash, `user` the caller's subject."""

    type: Literal["ASSIGN"] = "ASSIGN"
    interface: str
    task: str
    args: dict[str, Any]
    user: str
    org: str
    action: str
    implementation: str
    reference: str | None = None
    root: str | None = None
    parent: str | None = None
    capture: bool | None = None
    step: bool | None = None
    token: str | None = Field(default=None, repr=False)


class Cancel(Message):
    """Stop the body when it can be stopped."""

    type: Literal["CANCEL"] = "CANCEL"
    task: str


class Interrupt(Message):
    """Stop the body now."""

    type: Literal["INTERRUPT"] = "INTERRUPT"
    task: str


class Pause(Message):
    """Stop at the next point where the body allows it."""

    type: Literal["PAUSE"] = "PAUSE"
    task: str


class Resume(Message):
    """Go on."""

    type: Literal["RESUME"] = "RESUME"
    task: str
    step: bool = False


class Collect(Message):
    """Forget these values."""

    type: Literal["COLLECT"] = "COLLECT"
    drawers: list[str] = Field(default_factory=list)


class Bounce(Message):
    """Drop the connection and come back."""

    type: Literal["BOUNCE"] = "BOUNCE"
    duration: int | None = None


class Kick(Message):
    """Leave."""

    type: Literal["KICK"] = "KICK"
    reason: str | None = None


class ProtocolError(Message):
    """The server could not make sense of us, or does not want us."""

    type: Literal["PROTOCOL_ERROR"] = "PROTOCOL_ERROR"
    error: str = ""


class EventAck(Message):
    """The report with the id `event` is kept by the server."""

    type: Literal["EVENT_ACK"] = "EVENT_ACK"
    event: str
    task: str | None = None
    seq: int | None = None


class AssignResponse(Message):
    """The answer to the request with the id `request`: a task, or why not."""

    type: Literal["ASSIGN_RESPONSE"] = "ASSIGN_RESPONSE"
    request: str
    reference: str | None = None
    task: str | None = None
    created: bool = True
    error: str | None = None


class ControlResponse(Message):
    """The answer to a request that controls a task."""

    type: Literal["CONTROL_RESPONSE"] = "CONTROL_RESPONSE"
    request: str
    task: str | None = None
    accepted: bool = False
    error: str | None = None


class Mirror(Message):
    """An event of a task that this agent called: ``<kind>_EVENT``."""

    task: str
    event: str | None = None
    seq: int | None = None
    progress: int | None = None
    message: str | None = None
    level: str | None = None
    returns: dict[str, Any] | None = None
    error: str | None = None

    @property
    def kind(self) -> str:
        """The event's kind, as `TaskEvent.kind` spells it."""
        return self.type.removesuffix("_EVENT")


ToAgent = Annotated[
    Init
    | Heartbeat
    | Assign
    | Cancel
    | Interrupt
    | Pause
    | Resume
    | Collect
    | Bounce
    | Kick
    | ProtocolError
    | EventAck
    | AssignResponse
    | ControlResponse,
    Field(discriminator="type"),
]


@cache
def _to_agent() -> TypeAdapter[Message]:
    return TypeAdapter(ToAgent)


def to_agent(text: str | bytes) -> Message | None:
    """Read a frame of a server; ``None`` for a type that we do not know.

    Raises
    ------
    ValueError
        If the frame is no JSON object with a type, or lacks what its type needs.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ValueError("The frame is not JSON.") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise ValueError("The frame is no JSON object with a type.")
    try:
        if raw["type"].endswith("_EVENT"):
            return Mirror.model_validate(raw)
        return _to_agent().validate_python(raw)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        if any(problem["type"] == "union_tag_invalid" for problem in problems):
            return None
        told = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
        raise ValueError(f"A frame of type {raw['type']} does not make sense: {told}") from None
