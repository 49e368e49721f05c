"""Filters: objects whose members are all required, with ``AND``, ``OR`` and ``NOT`` as further filters.

``{name: A, OR: {name: B}}`` is A or B; ``{name: A, NOT: {name: B}}`` is A and not B. A null member counts as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, exists, not_, or_, select, true

from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context
from jupyter_arkitekt.server.mikro import _lookups
from jupyter_arkitekt.server.mikro._access import number
from jupyter_arkitekt.server.mikro._lookups import Condition

Make = Callable[[Context, Any], Condition]

#: Members that combine, and one that has nothing to do here: a condition never finds a row twice.
_COMBINING = frozenset({"AND", "OR", "NOT", "DISTINCT"})


class Filter:
    """Turns a filter object into a condition.

    Parameters
    ----------
    members
        For each member of the filter, what makes a condition of its value.
    """

    def __init__(self, members: Mapping[str, Make]) -> None:
        self.members = members

    def __call__(self, ctx: Context, value: Mapping[str, Any] | None) -> Condition:
        """Return the condition of `value`; one that every row fulfils when there is none."""
        given = {name: each for name, each in (value or {}).items() if each is not None}
        own = [self.members[name](ctx, each) for name, each in given.items() if name not in _COMBINING]
        result: Condition | None = and_(*own) if own else None
        if "AND" in given:
            more = self(ctx, given["AND"])
            result = more if result is None else and_(result, more)
        if "OR" in given:
            more = self(ctx, given["OR"])
            result = more if result is None else or_(result, more)
        if "NOT" in given:
            less = not_(self(ctx, given["NOT"]))
            result = less if result is None else and_(result, less)
        return true() if result is None else result


def ids(column: ColumnElement[Any]) -> Make:
    """The column is one of these ids; one that is no number matches nothing."""
    return lambda _ctx, value: column.in_([key for key in map(number, value) if key is not None])


def same(column: ColumnElement[Any]) -> Make:
    """The column is this id."""
    return lambda _ctx, value: column == key if (key := number(value)) is not None else _lookups.nothing()


def equal(column: ColumnElement[Any]) -> Make:
    """The column has this value."""
    return lambda _ctx, value: column == value


def text(column: ColumnElement[Any], folded: ColumnElement[Any] | None = None) -> Make:
    """A lookup of a text column."""
    return lambda _ctx, value: _lookups.text_lookup(column, value, folded)


def numeric(column: ColumnElement[Any]) -> Make:
    """A lookup of a number column."""
    return lambda _ctx, value: _lookups.number_lookup(column, value)


def empty(column: ColumnElement[Any]) -> Make:
    """The column is empty, or is not."""
    return lambda _ctx, value: column.is_(None) if value else column.is_not(None)


def pinned(table: Table, kind: str) -> Make:
    """The row is pinned by the caller, or is not."""

    def make(ctx: Context, value: bool) -> Condition:
        mine = exists().where(
            db.pin.c.user_id == ctx.caller.user_id, db.pin.c.kind == kind, db.pin.c.object_id == table.c.id
        )
        return mine if value else not_(mine)

    return make


def within(column: ColumnElement[Any], table: Table, inner: Filter) -> Make:
    """The column names a row of `table` that `inner` lets through."""
    return lambda ctx, value: column.in_(select(table.c.id).where(inner(ctx, value)))


def having(table: Table, column: Column[Any], other: Table, inner: Filter, *also: Condition) -> Make:
    """A row of `other` names this row in `column`, and `inner` lets it through."""
    return lambda ctx, value: table.c.id.in_(select(column).select_from(other).where(inner(ctx, value), *also))


def rows(table: Table) -> dict[str, Make]:
    """Members that every filter of rows has."""
    return {
        "id": same(table.c.id),
        "ids": ids(table.c.id),
        "createdBefore": lambda _ctx, value: table.c.created_at < value.timestamp(),
        "createdAfter": lambda _ctx, value: table.c.created_at > value.timestamp(),
        "owner": same(table.c.creator_id),
    }


def named(table: Table) -> dict[str, Make]:
    """Members that every filter of named rows has."""
    return {
        **rows(table),
        "name": text(table.c.name, table.c.folded),
        "search": lambda _ctx, value: _lookups.search(table.c.folded, value),
    }
