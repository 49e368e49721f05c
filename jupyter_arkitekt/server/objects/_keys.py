"""Keys of objects as paths of files, and back.

A key is written by a stranger; a path must not be. Each segment of a key becomes one name in the file system:
lower-case ASCII letters, digits, ``-``, ``_`` and ``.`` stand for themselves, every other byte of its UTF-8 is
written ``%xx``. So names never meet on a file system that folds case or normalises Unicode, and the keys that zarr
makes stay readable: an array at ``<key>`` is a zarr array in the folder of that name.

Keys that no client of ours makes and that proxies and file systems read in ways of their own are refused: empty, ``.`` and
``..`` segments (a leading or a trailing slash makes an empty one), and characters that XML cannot carry.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from ._errors import S3Error, invalid

#: Longest key in bytes of UTF-8, https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_KEY_BYTES = 1024
#: Longest name in the common file systems is 255 bytes; one is left for the mark of a folder (see `_tree`).
MAX_NAME_BYTES = 254

_PLAIN_SEGMENT = re.compile(r"[a-z0-9._-]*[a-z0-9_-]")
_PLAIN_KEY = re.compile(r"(?:[a-z0-9._-]*[a-z0-9_-])(?:/[a-z0-9._-]*[a-z0-9_-])*")
_ESCAPED = re.compile(rb"[^a-z0-9._-]")
_NO_XML = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def encode(segment: str) -> str:
    """Return the name in the file system of one segment of a key."""
    if _PLAIN_SEGMENT.fullmatch(segment):
        return segment
    name = _ESCAPED.sub(lambda found: b"%%%02x" % found[0][0], segment.encode()).decode("ascii")
    # A dot at the end makes "." and "..", and some file systems drop it.
    return f"{name[:-1]}%2e" if name.endswith(".") else name


def decode(name: str) -> str | None:
    """Return the segment whose name is `name`, ``None`` for a name that `encode` never gives."""
    if _PLAIN_SEGMENT.fullmatch(name):
        return name
    try:
        segment = unquote_to_bytes(name).decode()
    except UnicodeDecodeError:
        return None
    return segment if segment and encode(segment) == name else None


def check_key(key: str) -> None:
    """Refuse a key that cannot be stored.

    Raises
    ------
    S3Error
        If it is empty, too long, or has a segment or a character that is refused.
    """
    names(key)


def names(key: str) -> list[str]:
    """Return the names in the file system of the segments of `key`.

    Raises
    ------
    S3Error
        As `check_key` says.
    """
    if not key:
        raise invalid("The key is empty.")
    if _NO_XML.search(key):
        raise invalid("The key has a control character, or one that is no character.")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise _too_long()
    segments = key.split("/")
    if not _PLAIN_KEY.fullmatch(key):
        for segment in segments:
            if segment in {"", ".", ".."}:
                raise invalid(f"The key has the segment {segment!r}, which is refused.")
        segments = [encode(segment) for segment in segments]
    if max(map(len, segments)) > MAX_NAME_BYTES:
        raise _too_long()
    return segments


def _too_long() -> S3Error:
    return invalid("The key, or a part of it between slashes, is too long to be stored here.", "KeyTooLongError")
