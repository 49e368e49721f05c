"""One page of a listing: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ._errors import invalid
from ._tree import Entry

MAX_KEYS = 1000

#: Yields the objects with a prefix whose keys (UTF-8) are not before a start, in order.
Walk = Callable[[bytes], Iterator[Entry]]


@dataclass(slots=True)
class Page:
    """Part of a listing.

    Attributes
    ----------
    entries
        Objects, in the order of their keys.
    prefixes
        What keys have in common up to the delimiter, where there is one.
    after
        Opaque place where the next page begins, ``None`` on the last one.
    """

    entries: list[Entry] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    after: str | None = None

    def __len__(self) -> int:
        return len(self.entries) + len(self.prefixes)


def list_page(walk: Walk, prefix: str, delimiter: str, start: bytes, limit: int) -> Page:
    """Return the objects from `start` on, at most `limit` of them, with common prefixes counted as one each.

    What lies below a common prefix is not walked: the walk begins anew behind it.
    """
    page = Page()
    if limit == 0:
        return page
    while True:
        entries = walk(start)
        for found in entries:
            common = _common(found.key, prefix, delimiter)
            if len(page) == limit:
                page.after = encode_token(found.key.encode())
                return page
            if common is not None:
                page.prefixes.append(common)
                start = _behind(common)
                break
            page.entries.append(found)
        else:
            return page


def _common(key: str, prefix: str, delimiter: str) -> str | None:
    if not delimiter:
        return None
    at = key.find(delimiter, len(prefix))
    return None if at < 0 else key[: at + len(delimiter)]


def _behind(common: str) -> bytes:
    """Return the first bytes that lie behind all keys that begin with `common`. UTF-8 has no byte 0xff."""
    data = common.encode()
    return data[:-1] + bytes([data[-1] + 1])


def encode_token(start: bytes) -> str:
    """Return `start` as a continuation token."""
    return base64.urlsafe_b64encode(start).decode("ascii")


def decode_token(token: str) -> bytes:
    """Return the start that a continuation token stands for.

    Raises
    ------
    S3Error
        400, if it is none.
    """
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError as error:
        raise invalid("The continuation token is none that this server gave.") from error
