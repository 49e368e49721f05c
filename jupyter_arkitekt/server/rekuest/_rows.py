"""Reading rows for GraphQL: by id, lists with filter, order and page. Everything is scoped to the organisation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from jupyter_arkitekt.server.graphql import Refuse

Row = dict[str, Any]
Test = Callable[[Row, Any], bool]

#: Rows of a page whose limit was not said.
DEFAULT_LIMIT = 100
_COMBINING = frozenset({"AND", "OR", "NOT", "DISTINCT"})


def number(value: object) -> int:
    """Return the id that `value` spells; 0, which no row has, when it spells none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def missing(what: str, value: object) -> Refuse:
    """Return the refusal for an id that names nothing here."""
    return Refuse(f"there is no {what} {str(value)[:64]!r} in this organisation", code="NOT_FOUND")


def page(pagination: Mapping[str, Any] | None) -> tuple[int, int | None]:
    """Return offset and limit. No pagination means all rows, one without a limit 100, a null limit all that follow."""
    if pagination is None:
        return 0, None
    offset = pagination.get("offset") or 0
    if offset < 0:
        raise Refuse(f"an offset is 0 or more, this is {offset}", code="BAD_INPUT")
    limit = pagination.get("limit", DEFAULT_LIMIT)
    return offset, None if limit is None or limit < 0 else limit


def paged(rows: Sequence[Row], pagination: Mapping[str, Any] | None) -> list[Row]:
    """Return a page of `rows`."""
    offset, limit = page(pagination)
    return list(rows[offset : None if limit is None else offset + limit])


def ordered(rows: Iterable[Row], ordering: Sequence[Mapping[str, Any]] | None, columns: Mapping[str, str]) -> list[Row]:
    """Return `rows` in the wanted order, equal ones by id."""
    result = sorted(rows, key=lambda row: row["id"])
    for each in reversed(ordering or ()):
        for name, how in each.items():
            if how is None:
                continue
            column, down = columns[name], how.startswith("DESC")
            nulls_first = how.endswith("NULLS_FIRST") or (down and not how.endswith("NULLS_LAST"))
            filled = sorted((r for r in result if r[column] is not None), key=lambda r: r[column], reverse=down)
            empty = [row for row in result if row[column] is None]
            result = empty + filled if nulls_first else filled + empty
    return result


def matches(row: Row, filters: Mapping[str, Any] | None, tests: Mapping[str, Test]) -> bool:
    """Say whether `row` is let through: all members hold, combined with ``AND``, ``OR`` and ``NOT``; null is absent."""
    given = {name: value for name, value in (filters or {}).items() if value is not None}
    own = [name for name in given if name not in _COMBINING]
    result = all(tests[name](row, given[name]) for name in own)
    if "AND" in given:
        result = result and matches(row, given["AND"], tests)
    if "OR" in given:
        result = (result and bool(own)) or matches(row, given["OR"], tests)
    if "NOT" in given:
        result = result and not matches(row, given["NOT"], tests)
    return result


def text_fits(value: str | None, lookup: Mapping[str, Any]) -> bool:
    """Say whether a text fits a ``StrFilterLookup``."""
    return all(_TEXT[name](value, wanted) for name, wanted in lookup.items() if wanted is not None)


def _fold(value: str | None) -> str:
    return (value or "").casefold()


_TEXT: dict[str, Callable[[str | None, Any], bool]] = {
    "exact": lambda value, wanted: value == wanted,
    "iExact": lambda value, wanted: value is not None and _fold(value) == _fold(wanted),
    "contains": lambda value, wanted: wanted in (value or ""),
    "iContains": lambda value, wanted: _fold(wanted) in _fold(value),
    "inList": lambda value, wanted: value in wanted,
    "startsWith": lambda value, wanted: (value or "").startswith(wanted),
    "iStartsWith": lambda value, wanted: _fold(value).startswith(_fold(wanted)),
    "endsWith": lambda value, wanted: (value or "").endswith(wanted),
    "iEndsWith": lambda value, wanted: _fold(value).endswith(_fold(wanted)),
    "gt": lambda value, wanted: value is not None and value > wanted,
    "gte": lambda value, wanted: value is not None and value >= wanted,
    "lt": lambda value, wanted: value is not None and value < wanted,
    "lte": lambda value, wanted: value is not None and value <= wanted,
    "range": lambda value, wanted: value is not None and len(wanted) == 2 and wanted[0] <= value <= wanted[1],
    "isNull": lambda value, wanted: (value is None) == wanted,
}
