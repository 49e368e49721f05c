"""The platform: the parts that rooms share, in one object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_arkitekt.server.topics import Topics

if TYPE_CHECKING:
    from jupyter_arkitekt.server.db import Database
    from jupyter_arkitekt.server.identity import Identity
    from jupyter_arkitekt.server.objects import Grants, Storage
    from jupyter_arkitekt.server.settings import Settings

#: Work to do on the loop when the platform starts or ends.
Hook = Callable[[], Awaitable[None]]


@dataclass
class Platform:
    """What every room may use.

    Attributes
    ----------
    broker
        Set by rekuest: tasks, agents and their sockets.
    capabilities
        What this platform can do beyond the wire, announced in the well-known document.
    on_start
        Awaited in order before the first request is answered; a failure ends the start.
    on_ready
        Awaited in order once the platform answers: what the first request would otherwise wait for. A failure ends the
        platform.
    on_stop
        Awaited in reverse order when the platform ends: after new connections are refused and *before* open sockets are
        closed with code 1012 (service restart). Each has to be done within a fraction of a second.
    """

    settings: Settings
    db: Database
    identity: Identity
    storage: Storage
    grants: Grants
    topics: Topics = field(default_factory=Topics)
    broker: Any = None
    capabilities: dict[str, Any] = field(default_factory=dict)
    on_start: list[Hook] = field(default_factory=list)
    on_ready: list[Hook] = field(default_factory=list)
    on_stop: list[Hook] = field(default_factory=list)
