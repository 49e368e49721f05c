"""Scalars that every service of the wire has and means the same by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from graphql import GraphQLError


def _date_time_out(value: Any) -> str:
    """Write a time as ISO 8601 with its offset. A number is seconds since the epoch, a time without an offset UTC."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = datetime.fromtimestamp(value, UTC)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, str):
        return value
    raise TypeError(f"{type(value).__name__} is no time")


def _date_time_in(value: Any) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"{value!r} is no time of ISO 8601.") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _uuid_out(value: Any) -> str:
    return str(value)


def _uuid_in(value: Any) -> str:
    try:
        return str(UUID(value))
    except (AttributeError, TypeError, ValueError):
        raise GraphQLError(f"{value!r} is no UUID.") from None


DEFAULT_SCALARS: dict[str, tuple[Callable[[Any], Any] | None, Callable[[Any], Any] | None]] = {
    "DateTime": (_date_time_out, _date_time_in),
    "UUID": (_uuid_out, _uuid_in),
}
