"""Websockets: the one place that opens them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from jupyter_arkitekt.errors import AuthError, ConnectError, redact
from jupyter_arkitekt.transport._http import CONNECT_TIMEOUT, is_loopback

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

__all__ = ["connect", "websocket_url"]

#: Bytes of the largest message that is taken. Large results travel by reference.
MAX_MESSAGE = 16 * 2**20

#: Seconds between two pings, and until a peer that does not answer one counts as gone.
PING_EVERY = 20.0


def websocket_url(url: str) -> str:
    """Return `url` with the scheme of a websocket."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="wss" if parts.scheme in ("https", "wss") else "ws"))


async def connect(url: str, *, what: str, subprotocols: Sequence[str] = ()) -> ClientConnection:
    """Open a websocket; the caller closes it.

    Parameters
    ----------
    url
        Address; the schemes of HTTP are taken as well.
    what
        Who is there, for the error's message.
    subprotocols
        Subprotocols to offer.

    Raises
    ------
    ConnectError
        If nobody takes the connection.
    AuthError
        If the server refuses it with 401 or 403.
    """
    from websockets.asyncio.client import connect as open_websocket
    from websockets.exceptions import InvalidStatus, WebSocketException

    target = websocket_url(url)
    try:
        return await open_websocket(
            target,
            subprotocols=list(subprotocols) or None,  # type: ignore[arg-type]  # plain strings are taken
            max_size=MAX_MESSAGE,
            open_timeout=CONNECT_TIMEOUT,
            ping_interval=PING_EVERY,
            ping_timeout=PING_EVERY,
            proxy=None if is_loopback(target) else True,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        message = f"{what} at {redact(target)} refused the connection with status {status}."
        if status in (401, 403):
            raise AuthError(message, status=status) from error
        raise ConnectError(message) from error
    except (OSError, TimeoutError, WebSocketException) as error:
        reason = str(error) or type(error).__name__
        raise ConnectError(
            f"{what} at {redact(target)} takes no connection ({reason}). Is the server running?"
        ) from error
