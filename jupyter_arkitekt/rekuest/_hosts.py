"""Who hosts an action, for the error that says why nobody runs it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jupyter_arkitekt.errors import ArkitektError, AuthError, NoAgentError, ServerError
from jupyter_arkitekt.models.rekuest import Action, Host

if TYPE_CHECKING:
    from jupyter_arkitekt.transport import GraphQLClient


async def who_hosts(client: GraphQLClient, action: Action, refusal: ServerError) -> ArkitektError:
    """Return the error for a call that was refused: the refusal, or that nobody hosts the action now."""
    if isinstance(refusal, AuthError):
        return refusal
    try:
        found: list[Host] = await client.query("implementations", list[Host], filters={"actionHash": action.hash})
    except ArkitektError:
        return refusal
    if any(host.agent.active for host in found):
        return refusal
    if not found:
        return NoAgentError(
            f"Nobody hosts {action.name!r} any more: the app that offered it has withdrawn it. Start an app that "
            "registers it, then call again."
        )
    told = ", ".join(_describe(host) for host in found[:5])
    return NoAgentError(f"Nobody hosts {action.name!r} now. It is offered by {told}. Start that app, then call again.")


def _describe(host: Host) -> str:
    name = host.agent.name or f"agent {host.agent.id}"
    if host.agent.last_seen is None:
        return name
    seen = host.agent.last_seen
    seen = seen if seen.tzinfo is not None else seen.replace(tzinfo=UTC)
    ago = max(0, int((datetime.now(UTC) - seen).total_seconds()))
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if ago >= size or size == 1:
            count = ago // size
            return f"{name} (last seen {count} {word}{'' if count == 1 else 's'} ago)"
    return name
