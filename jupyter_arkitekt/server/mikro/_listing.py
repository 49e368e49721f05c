"""Lists: which rows, in which order, which page.

The page of a list is always determined: rows that are equal in what a caller orders by are ordered by their id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Select, Table, select

from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.mikro._access import get
from jupyter_arkitekt.server.mikro._filters import Filter
from jupyter_arkitekt.server.mikro._lookups import Condition
from jupyter_arkitekt.server.mikro._records import Record, children, load

#: Rows of a page whose limit was not said.
DEFAULT_LIMIT = 100

#: Largest offset and limit that a database takes.
_LARGEST = 2**31 - 1

Page = Mapping[str, Any] | None
Ordering = Sequence[Mapping[str, Any]] | None


def page(pagination: Page) -> tuple[int, int | None]:
    """Return offset and limit; a limit of ``None`` is no limit.

    No pagination at all means all rows, a pagination without a limit 100, a null or negative limit all that follow.
    """
    if pagination is None:
        return 0, None
    offset = pagination.get("offset", 0)
    if offset < 0:
        raise Refuse(f"an offset is 0 or more, this is {offset}", code="BAD_INPUT")
    limit = pagination.get("limit", DEFAULT_LIMIT)
    return offset, None if limit is None or limit < 0 else limit


def _direction(column: Column[Any], how: str) -> ColumnElement[Any]:
    ordered = column.desc() if how.startswith("DESC") else column.asc()
    if how.endswith("_NULLS_FIRST"):
        return ordered.nulls_first()
    return ordered.nulls_last() if how.endswith("_NULLS_LAST") else ordered


@dataclass(frozen=True)
class Listing:
    """How rows of one table are found, ordered and paged.

    Attributes
    ----------
    what
        Word for one row, for messages.
    conditions
        What a row has to fulfil besides the filter.
    ordered_by
        Columns that a caller may order by, by their name on the wire.
    """

    table: Table
    what: str
    filter: Filter
    ordered_by: Mapping[str, Column[Any]] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()

    def select(self, ctx: Context, filters: Mapping[str, Any] | None, ordering: Ordering) -> Select[Any]:
        """Return the statement for the rows of the caller's organisation, in order, without a page."""
        statement = select(self.table).where(
            self.table.c.organisation_id == ctx.caller.organisation_id, self.filter(ctx, filters), *self.conditions
        )
        return statement.order_by(*self._order(ordering))

    def rows(
        self,
        ctx: Context,
        filters: Mapping[str, Any] | None = None,
        ordering: Ordering = None,
        pagination: Page = None,
        *conditions: Condition,
    ) -> list[Record]:
        """Return a page of rows as one batch."""
        offset, limit = page(pagination)
        statement = self.select(ctx, filters, ordering).where(*conditions).offset(offset)
        return load(ctx, statement.limit(_LARGEST if limit is None else limit))

    def of(
        self,
        ctx: Context,
        owner: Record,
        column: ColumnElement[Any],
        filters: Mapping[str, Any] | None = None,
        ordering: Ordering = None,
        pagination: Page = None,
        *,
        through: FromClause | None = None,
        on: Condition | None = None,
    ) -> list[Record]:
        """Return a page of those rows whose `column` is the id of `owner`; loaded for all of the owner's batch at once.

        Parameters
        ----------
        through
            A table between owner and rows: `column` is its link to the owner, `on` how it is joined to the rows.
        """
        offset, limit = page(pagination)
        name = (self.what, str(column), repr(filters), repr(ordering))
        statement = self.select(ctx, filters, ordering)
        if through is not None:
            statement = statement.join(through, on)
        statement = statement.add_columns(column.label("owner"))
        found = children(ctx, owner, name, statement, column, "owner")
        return found[offset : None if limit is None else offset + limit]

    def _order(self, ordering: Ordering) -> list[ColumnElement[Any]]:
        order = [
            _direction(self.ordered_by[name], how)
            for each in ordering or ()
            for name, how in each.items()
            if how is not None
        ]
        return [*order, self.table.c.id.asc()]

    def register(self, resolvers: Resolvers, *, one: str = "", many: str = "", mine: str = "") -> None:
        """Make this the resolver of the root fields for one row, for many, and for the caller's own."""
        if one:

            @resolvers.query(one)
            def _one(_parent: object, ctx: Context, id: str) -> Record:  # noqa: A002 - the wire's name
                return get(ctx, self.table, self.what, id)

        if many:

            @resolvers.query(many)
            def _many(_parent: object, ctx: Context, **arguments: Any) -> list[Record]:
                return self.rows(ctx, **arguments)

        if mine:

            @resolvers.query(mine)
            def _mine(
                _parent: object, ctx: Context, filters: Any = None, ordering: Any = None, pagination: Any = None
            ) -> Any:
                own = self.table.c.creator_id == ctx.caller.user_id
                return self.rows(ctx, filters, ordering, pagination, own)


def by(table: Table, *names: str) -> dict[str, Column[Any]]:
    """Return the columns that a caller may order by, by their names on the wire."""
    columns = {"createdAt": "created_at"}
    return {name: table.c[columns.get(name, name)] for name in names}
