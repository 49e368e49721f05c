"""Ranges and conditions of a request. Pure functions, after RFC 9110 (HTTP semantics), sections 13 and 14."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from ._errors import S3Error, precondition_failed
from ._tree import Entry

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")

Headers = Mapping[bytes, bytes]


def byte_range(headers: Headers, entry: Entry) -> tuple[int, int] | None:
    """Return offset and length of the part that is asked for, ``None`` for the whole object.

    Several ranges, other units and malformed ones are answered with the whole object, as section 14.2 allows.

    Raises
    ------
    S3Error
        416, if the object has no byte in the range.
    """
    asked = headers.get(b"range")
    if asked is None or not _if_range(headers, entry):
        return None
    found = _RANGE.fullmatch(asked.decode("latin-1").strip())
    if not found or found[0] == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), entry.size)
        begin, end = entry.size - length, entry.size
    else:
        begin, end = int(first), min(int(last) + 1 if last else entry.size, entry.size)
        if last and int(last) < begin:
            return None
    if begin >= end:
        raise S3Error(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "InvalidRange",
            "The object has no byte in this range.",
            ((b"content-range", b"bytes */%d" % entry.size),),
        )
    return begin, end - begin


def _if_range(headers: Headers, entry: Entry) -> bool:
    """Tell whether the range may be used: section 13.1.5."""
    value = headers.get(b"if-range")
    if value is None:
        return True
    return _etags(value) == [entry.etag] if b'"' in value else _seconds(value) == entry.modified // 10**9


def check_reading(headers: Headers, entry: Entry) -> bool:
    """Check the conditions of a GET or HEAD, in the order of section 13.2.2.

    Returns
    -------
    bool
        ``False`` when the client has this object already (304).

    Raises
    ------
    S3Error
        412, if a condition does not hold.
    """
    modified = entry.modified // 10**9
    if (match := headers.get(b"if-match")) is not None:
        if not _matches(match, entry):
            raise precondition_failed()
    elif (since := _seconds(headers.get(b"if-unmodified-since"))) is not None and modified > since:
        raise precondition_failed()
    if (none_match := headers.get(b"if-none-match")) is not None:
        return not _matches(none_match, entry)
    since = _seconds(headers.get(b"if-modified-since"))
    return since is None or modified > since


def writing(headers: Headers) -> Callable[[Entry | None], bool] | None:
    """Return the condition of a PUT: what may be there for it to go on. ``None`` when there is no condition."""
    match, none_match = headers.get(b"if-match"), headers.get(b"if-none-match")
    if match is None and none_match is None:
        return None

    def allow(there: Entry | None) -> bool:
        if match is not None and (there is None or not _matches(match, there)):
            return False
        return none_match is None or there is None or not _matches(none_match, there)

    return allow


def _matches(value: bytes, entry: Entry) -> bool:
    return value.strip() == b"*" or entry.etag in _etags(value)


def _etags(value: bytes) -> list[str]:
    return [tag.strip().strip('"') for tag in value.decode("latin-1").split(",")]


def _seconds(value: bytes | None) -> int | None:
    """Return an HTTP date as seconds since the epoch; ``None`` without one, and for one that is malformed."""
    if value is None:
        return None
    try:
        return int(parsedate_to_datetime(value.decode("latin-1")).timestamp())
    except ValueError:
        return None
