"""Lookups of one column: ``{contains: "cell"}``, ``{gte: 3}``. A member that is null counts as absent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, true

from jupyter_arkitekt.server.graphql import Refuse

Condition = ColumnElement[bool]
Column = ColumnElement[Any]


def _contains(column: Column, value: str) -> Condition:
    # LIKE ignores case in SQLite and not in PostgreSQL, and only one of them has instr(): replace() is the same in both.
    return func.replace(column, value, "") != column if value else column.is_not(None)


def _starts(column: Column, value: str) -> Condition:
    return func.substr(column, 1, len(value)) == value


def _ends(column: Column, value: str) -> Condition:
    length = func.length(column)
    return and_(length >= len(value), func.substr(column, length - len(value) + 1) == value)


def _range(column: Column, value: Sequence[Any]) -> Condition:
    if len(value) != 2:
        raise Refuse("a range is two values, the lowest and the highest", code="BAD_INPUT")
    return column.between(value[0], value[1])


def _is_null(column: Column, value: bool) -> Condition:
    return column.is_(None) if value else column.is_not(None)


_PLAIN: dict[str, Callable[[Column, Any], Condition]] = {
    "exact": lambda column, value: column == value,
    "inList": lambda column, value: column.in_(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "range": _range,
    "isNull": _is_null,
}
_TEXT = {"contains": _contains, "startsWith": _starts, "endsWith": _ends}
_FOLDED = {
    "iExact": _PLAIN["exact"],
    "iContains": _contains,
    "iStartsWith": _starts,
    "iEndsWith": _ends,
}


def number_lookup(column: Column, value: Mapping[str, Any]) -> Condition:
    """Return the condition of a lookup of a number."""
    return _all(_PLAIN[name](column, wanted) for name, wanted in value.items() if wanted is not None)


def text_lookup(column: Column, value: Mapping[str, Any], folded: Column | None = None) -> Condition:
    """Return the condition of a lookup of a text.

    Parameters
    ----------
    folded
        The case-folded text, for lookups that ignore case; without it the database folds, which may know ASCII only.
    """
    conditions = []
    for name, wanted in value.items():
        if wanted is None:
            continue
        if name in _FOLDED:
            column_folded = func.lower(column) if folded is None else folded
            conditions.append(_FOLDED[name](column_folded, wanted.casefold()))
        else:
            conditions.append((_TEXT.get(name) or _PLAIN[name])(column, wanted))
    return _all(conditions)


def search(folded: Column, value: str) -> Condition:
    """Return the condition of a search: every word of `value` is somewhere in the text, in any case."""
    return _all(_contains(folded, word) for word in value.casefold().split())


def _all(conditions: Any) -> Condition:
    return and_(true(), *conditions)


def nothing() -> Condition:
    """Return the condition that no row fulfils."""
    return literal(1) == 0
