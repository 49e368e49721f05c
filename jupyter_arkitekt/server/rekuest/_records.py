"""The small things of an organisation: made, found, listed and deleted in the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Table, delete, insert, select

from jupyter_arkitekt.server.graphql import Context, Resolvers
from jupyter_arkitekt.server.rekuest._context import rows
from jupyter_arkitekt.server.rekuest._rows import Row, Test, matches, missing, number, ordered, paged, text_fits

Page = Mapping[str, Any] | None
Ordering = list[dict[str, Any]] | None

#: Filters that all of them understand as far as their SDL has them.
TESTS: dict[str, Test] = {
    "ids": lambda row, value: row["id"] in {number(one) for one in value},
    "name": lambda row, value: text_fits(row["name"], value),
    "search": lambda row, value: value.casefold() in (row["name"] or "").casefold(),
}
ORDERS = {"name": "name", "createdAt": "created_at", "updatedAt": "updated_at"}


def make(ctx: Context, table: Table, **values: Any) -> Row:
    """Insert a row of the caller's organisation and return it."""
    with ctx.platform.db.begin() as connection:
        row = {"organisation_id": ctx.caller.organisation_id} | values
        inserted = connection.execute(insert(table).values(row)).inserted_primary_key
        assert inserted is not None
        return dict(connection.execute(select(table).where(table.c.id == inserted[0])).mappings().one())


def every(ctx: Context, table: Table) -> list[Row]:
    """Return all rows of the caller's organisation, the oldest first."""
    return rows(ctx, select(table).where(table.c.organisation_id == ctx.caller.organisation_id).order_by(table.c.id))


def one(ctx: Context, table: Table, value: object, what: str) -> Row:
    """Return the row with this id.

    Raises
    ------
    Refuse
        If the organisation has none.
    """
    mine = table.c.organisation_id == ctx.caller.organisation_id
    found = rows(ctx, select(table).where(mine, table.c.id == number(value)))
    if not found:
        raise missing(what, value)
    return found[0]


def serve_one(resolvers: Resolvers, name: str, table: Table, what: str) -> None:
    """Serve the query `name` for one row of `table` by id."""

    @resolvers.query(name)
    def _one(_parent: object, ctx: Context, id: str) -> Row:  # noqa: A002 - the wire's name
        return one(ctx, table, id, what)


def serve_list(resolvers: Resolvers, name: str, table: Table, tests: Mapping[str, Test] | None = None) -> None:
    """Serve the query `name` for a list of the rows of `table`."""
    known = {**TESTS, **(tests or {})}

    @resolvers.query(name)
    def _list(
        _parent: object, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        found = [row for row in every(ctx, table) if matches(row, filters, known)]
        return paged(ordered(found, ordering, ORDERS), pagination)


def serve_delete(
    resolvers: Resolvers, name: str, table: Table, what: str, answer: Callable[[Row], object] = lambda row: row["id"]
) -> None:
    """Serve the mutation `name` that deletes a row of `table`."""

    @resolvers.mutation(name)
    def _delete(_parent: object, ctx: Context, input: dict[str, Any]) -> object:  # noqa: A002 - the wire's name
        row = one(ctx, table, input["id"], what)
        with ctx.platform.db.begin() as connection:
            connection.execute(delete(table).where(table.c.id == row["id"]))
        return answer(row)
