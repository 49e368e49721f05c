"""Frames of the agent socket: how we speak. One JSON object per text frame, told apart by ``type``."""

from __future__ import annotations

import json
import uuid
from typing import Any

#: The Python agent refuses longer frames, closes with 1009 and comes back: a longer frame would loop for ever.
MAX_FRAME = 1024 * 1024

Json = dict[str, Any]


def write(kind: str, **fields: Any) -> str:
    """Return the frame of a message of this `kind`, with an id of its own."""
    return encode({"id": str(uuid.uuid4()), "type": kind, **fields})


def encode(message: Json) -> str:
    """Return `message` as one frame."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can carry
        text = json.dumps(message, separators=(",", ":"))
    return text


def size(frame: str) -> int:
    """Return the bytes of `frame` on the wire."""
    return len(frame.encode())
