"""What an agent that called from inside of a task is told about its call."""

from __future__ import annotations

from typing import Any

from jupyter_arkitekt.server.rekuest._frames import MAX_FRAME, size, write
from jupyter_arkitekt.server.rekuest._task import Event


def mirror(event: Event) -> str:
    """Return the frame that mirrors `event` to the caller.

    A result that is too large for a frame would make the agent close its socket, come back and be sent it again; it is
    told that its call failed instead, and ignores what comes after that.
    """
    told: dict[str, Any] = {"task": str(event.task_id), "event": str(event.id), "seq": event.id}
    if event.kind == "YIELD":
        told["returns"] = event.returns
    elif event.kind == "PROGRESS":
        told |= {"progress": event.progress, "message": event.message}
    elif event.kind == "LOG":
        told |= {"message": event.message, "level": event.level}
    elif event.kind == "DISCONNECTED":
        told["message"] = event.message
    elif event.kind in ("FAILED", "CRITICAL"):
        told["error"] = event.message
    frame = write(f"{event.kind}_EVENT", **told)
    if (taken := size(frame)) <= MAX_FRAME:
        return frame
    kind = "CRITICAL_EVENT" if event.kind == "YIELD" else f"{event.kind}_EVENT"
    short = f"what the function sent takes {taken} bytes, {MAX_FRAME} is the most; return large values by reference"
    return write(kind, task=told["task"], event=told["event"], seq=event.id, error=short, message=short)
