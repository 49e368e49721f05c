"""What a resolver knows about the request it works for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_arkitekt.server.identity import Caller
    from jupyter_arkitekt.server.platform import Platform


@dataclass(slots=True)
class Context:
    """Second argument of every resolver.

    Attributes
    ----------
    caller
        Who asks: user, client and organisation of the token.
    headers
        Headers of the request, with lower-case names.
    base_url
        Address under which the caller reached the platform, as ``http://host:port``.
    cache
        A place of this operation for what several resolvers need once.
    """

    caller: Caller
    platform: Platform
    headers: Mapping[str, str]
    base_url: str = ""
    cache: dict[Any, Any] = field(default_factory=dict)
