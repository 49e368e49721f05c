"""Messages of the agent socket: what an agent may say.

One JSON object per text frame, told apart by ``type``. Unknown fields are ignored, except in ``REGISTER``; unknown
types are ignored too, they come from a newer agent.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

_MAX_INT = 2**63 - 1

Short = Annotated[str, Field(max_length=512)]


class BadFrame(Exception):  # noqa: N818 - what was received
    """A frame that an agent must not send.

    Attributes
    ----------
    code
        Code to close the socket with.
    """

    def __init__(self, message: str, code: int = 3003) -> None:
        super().__init__(message)
        self.code = code


class Message(BaseModel):
    """What every message has."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Short = ""


class Register(Message):
    """The first message: who the agent is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["REGISTER"]
    token: str = Field(max_length=16_384)
    force: bool = False
    session_id: Short | None = None


class SessionInit(Message):
    """The states with which a process of the agent starts."""

    type: Literal["SESSION_INIT"]
    session_id: Short
    states: dict[str, Any] = Field(default_factory=dict)


class HeartbeatAnswer(Message):
    """The agent lives."""

    type: Literal["HEARTBEAT_ANSWER"]


class Report(Message):
    """Something that happened to a task."""

    type: Literal[
        "STARTED",
        "PROGRESS",
        "LOG",
        "YIELD",
        "COMPLETED",
        "FAILED",
        "CRITICAL",
        "CANCELLED",
        "INTERRUPTED",
        "PAUSED",
        "RESUMED",
    ]
    task: Short
    seq: int | None = None
    progress: float | None = None
    message: str | None = None
    error: str | None = None
    level: Literal["DEBUG", "INFO", "ERROR", "WARN", "CRITICAL"] = "INFO"
    returns: dict[str, Any] | None = None

    @field_validator("progress")
    @classmethod
    def _percent(cls, value: float | None) -> float | None:
        return None if value is None or math.isnan(value) else min(100.0, max(0.0, value))


class StatePatch(Message):
    """A change of one state."""

    type: Literal["STATE_PATCH"]
    session_id: Short
    global_rev: int = Field(ge=0, le=_MAX_INT)
    state_name: Short
    ts: float = Field(allow_inf_nan=False)
    op: Short
    path: str
    value: Any = None
    old_value: Any = None
    task_id: Short | None = None


class StateSnapshot(Message):
    """All states at one revision."""

    type: Literal["STATE_SNAPSHOT"]
    session_id: Short
    global_rev: int = Field(ge=0, le=_MAX_INT)
    snapshots: dict[str, Any] = Field(default_factory=dict)


class Lock(Message):
    """An announcement: the agent holds a lock, or let it go."""

    type: Literal["LOCK", "UNLOCK"]
    key: Short
    task: Short | None = None


class Hook(BaseModel):
    """An action to call before or after a task."""

    kind: Literal["INIT", "CLEANUP"]
    hash: Short


class AssignRequest(Message):
    """A call from inside of a running task."""

    type: Literal["ASSIGN_REQUEST"]
    reference: Short
    args: dict[str, Any]
    parent: Short | None = None
    action: Short | None = None
    action_hash: Short | None = None
    implementation: Short | None = None
    agent: Short | None = None
    interface: Short | None = None
    dependency: Short | None = None
    method: Short | None = None
    resolution: Short | None = None
    hooks: list[Hook] | None = None
    capture: bool | None = None
    step: bool | None = None
    ephemeral: bool | None = None


class ControlRequest(Message):
    """A control of a task that this agent called."""

    type: Literal["CANCEL_REQUEST", "INTERRUPT_REQUEST", "PAUSE_REQUEST", "RESUME_REQUEST"]
    task: Short
    auto_interrupt: float | None = Field(default=None, ge=0, le=86_400)
    step: bool = False


AgentMessage = (
    Register
    | SessionInit
    | HeartbeatAnswer
    | Report
    | StatePatch
    | StateSnapshot
    | Lock
    | AssignRequest
    | ControlRequest
)
_KINDS: dict[str, TypeAdapter[AgentMessage]] = {
    kind: TypeAdapter(model)
    for model in (
        Register,
        SessionInit,
        HeartbeatAnswer,
        Report,
        StatePatch,
        StateSnapshot,
        Lock,
        AssignRequest,
        ControlRequest,
    )
    for kind in model.model_fields["type"].annotation.__args__  # type: ignore[union-attr]  # a Literal
}


def read(text: str | None) -> AgentMessage | None:
    """Read one frame; ``None`` stands for a message of a type that we do not know.

    Raises
    ------
    BadFrame
        If it is no JSON (3002), or not what its type promises (3003).
    """
    if text is None:
        raise BadFrame("frames are text", 3002)
    try:
        # What JSON has no number for travels as text, which a FLOAT port takes as well as a number.
        frame = json.loads(text, parse_constant=str, parse_float=_number)
    except (ValueError, RecursionError):
        raise BadFrame("the frame is not JSON", 3002) from None
    if "\\ud" in text or "\\uD" in text:
        frame = _clean(frame)
    kind = frame.get("type") if isinstance(frame, dict) else None
    if not isinstance(kind, str):
        raise BadFrame("a message is a JSON object with a type")
    model = _KINDS.get(kind)
    if model is None:
        return None
    try:
        return model.validate_python(frame)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadFrame(f"{kind}: {where}: {first['msg']}") from None


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _clean(frame: Any) -> Any:
    # A lone surrogate can neither be stored nor be sent on as UTF-8.
    try:
        return json.loads(json.dumps(frame, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise BadFrame("the frame is nested too deep", 3002) from None
