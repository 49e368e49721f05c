"""What a resolver knows about the request it works for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_arkitekt.server.graphql._errors import Refuse

if TYPE_CHECKING:
    from jupyter_arkitekt.server.identity import Caller
    from jupyter_arkitekt.server.platform import Platform

#: Fields that one answer may have: some ten times a page of a thousand images, and about two seconds of work.
MAX_RESOLVED = 500_000


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
    fields_left
        Fields that may still be resolved. Lists in lists multiply whatever a document's own size is.
    """

    caller: Caller
    platform: Platform
    headers: Mapping[str, str]
    base_url: str = ""
    cache: dict[Any, Any] = field(default_factory=dict)
    fields_left: int = MAX_RESOLVED

    def spend(self) -> None:
        """Count one field.

        Raises
        ------
        Refuse
            If the operation, or one event of a subscription, has used up what it may ask for.
        """
        self.fields_left -= 1
        if self.fields_left < 0:
            raise Refuse(f"the answer has more than {MAX_RESOLVED} fields; ask for less at a time", code="TOO_LARGE")
