"""One request to the door, verified, and the plain ways to answer it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import sha256
from http import HTTPStatus

from starlette.types import Receive, Send

from ._errors import S3Error, denied, invalid
from ._keys import check_key
from ._tree import Entry
from .grants import Holder
from .sigv4 import mismatch

RawHeaders = list[tuple[bytes, bytes]]


class Disconnected(Exception):  # noqa: N818 - not an error of ours
    """The client went away in the middle of its request."""


@dataclass(slots=True)
class Call:
    """A request whose signature is right.

    Attributes
    ----------
    method, bucket, key
        What is asked; `key` is empty for the bucket itself.
    query, headers
        Parameters, decoded, and headers, names in lower case.
    holder
        Who asks.
    payload
        SHA-256 in hex that the body must have, ``None`` when the signature does not say.
    receive, send
        The ASGI doors.
    """

    method: str
    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[bytes, bytes]
    holder: Holder
    payload: str | None
    receive: Receive
    send: Send = field(repr=False)

    def for_key(self) -> None:
        """Refuse a key that is not the holder's, or none at all.

        Raises
        ------
        S3Error
            403 or 400.
        """
        if not self.holder.covers(self.key):
            raise denied("These credentials are not good for this key.")
        check_key(self.key)

    def for_writing(self) -> None:
        """Refuse a holder who may only read.

        Raises
        ------
        S3Error
            403.
        """
        if not self.holder.write:
            raise denied("These credentials are for reading only.")

    def body_hash(self) -> str:
        """Return the SHA-256 that the body must have.

        Raises
        ------
        S3Error
            403, if the signature does not say: a body that is written must not be changed on its way.
        """
        if self.payload is None:
            raise denied("What is written here has to be signed with the SHA-256 of its body.")
        return self.payload

    def content_length(self) -> int:
        """Return the bytes of the body.

        Raises
        ------
        S3Error
            411, if the client does not say.
        """
        value = self.headers.get(b"content-length", b"")
        if not value.isdigit():
            raise S3Error(HTTPStatus.LENGTH_REQUIRED, "MissingContentLength", "The header Content-Length is missing.")
        return int(value)

    async def body(self, limit: int) -> bytes:
        """Return the whole body of a small request, checked against its hash.

        Raises
        ------
        S3Error
            400, if it is larger than `limit` bytes; 403, if it was changed.
        Disconnected
            If the client went away.
        """
        expected, length = self.body_hash(), self.content_length()
        if length > limit:
            raise invalid(f"A body of more than {limit} bytes is not taken here.", "EntityTooLarge")
        body = b"".join([piece async for piece in self.pieces()])
        check_hash(sha256(body).hexdigest(), expected)
        return body

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes.

        Raises
        ------
        Disconnected
            If the client goes away.
        """
        more = True
        while more:
            message = await self.receive()
            if message["type"] != "http.request":
                raise Disconnected
            more = message.get("more_body", False)
            if piece := message.get("body", b""):
                yield piece

    async def answer(
        self,
        status: int,
        headers: RawHeaders | None = None,
        body: bytes = b"",
        content_type: bytes = b"application/xml",
    ) -> None:
        """Send a whole answer; that to a HEAD request goes without its body."""
        await answer(self.send, self.method, status, headers or [], body, content_type)


def check_hash(found: str, expected: str) -> None:
    """Refuse a body that is not the one that was signed.

    Raises
    ------
    S3Error
        403.
    """
    if found != expected:
        raise mismatch("The body is not the one that was signed: its SHA-256 is another one.")


async def answer(
    send: Send,
    method: str,
    status: int,
    headers: RawHeaders,
    body: bytes = b"",
    content_type: bytes = b"application/xml",
) -> None:
    """Send a whole answer; that to a HEAD request goes without its body."""
    headers = [*headers]
    if body:
        headers.append((b"content-type", content_type))
    if status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


def object_headers(entry: Entry) -> RawHeaders:
    """Return the headers that an object has however it is asked for.

    What a stranger uploaded is never shown as a page of this server: browsers get bytes and are told not to guess.
    """
    return [
        (b"etag", etag_value(entry.etag)),
        (b"last-modified", formatdate(entry.modified // 10**9, usegmt=True).encode()),
        (b"accept-ranges", b"bytes"),
        (b"content-type", b"application/octet-stream"),
        (b"x-content-type-options", b"nosniff"),
    ]


def etag_value(etag: str) -> bytes:
    """Return an entity tag as a header has it."""
    return b'"%s"' % etag.encode()
