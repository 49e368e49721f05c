"""Small words of HTTP that several rooms need."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import HTTPConnection, Request


class TooLarge(Exception):  # noqa: N818 - the state of a body
    """A body is larger than is taken here."""


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body of `request`, up to `limit` bytes.

    Raises
    ------
    TooLarge
        If there is more; the rest is not read.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise TooLarge(f"the body has {announced} bytes, {limit} are taken here")
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise TooLarge(f"the body has more than {limit} bytes, which are taken here")
        pieces.append(piece)
    return b"".join(pieces)


def base_url(connection: HTTPConnection) -> str:
    """Return the address under which the caller reached us, without a slash at its end.

    It comes from the Host header, which the platform has checked before.
    """
    scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
    return f"{scheme}://{connection.url.netloc}"


def bearer(headers: Mapping[str, str]) -> str:
    """Return the bearer token of the Authorization header, empty when there is none."""
    return bearer_value(headers.get("authorization", ""), required=True)


def bearer_value(value: str, *, required: bool = False) -> str:
    """Return the token in `value`, which may be a bare token or (`required`: has to be) ``Bearer <token>``."""
    scheme, space, token = value.strip().partition(" ")
    if space:
        return token.strip() if scheme.lower() == "bearer" else ""
    return "" if required else scheme


def client_address(connection: HTTPConnection) -> str:
    """Return the address of the other side's machine."""
    return connection.client.host if connection.client else ""
