"""Memory drawers: values that never leave an agent; only the number of their drawer travels."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.rekuest._agents import agent_by_id, shelve_of
from jupyter_arkitekt.server.rekuest._context import broker, party, rows
from jupyter_arkitekt.server.rekuest._rows import Row, Test, matches, missing, number, paged

Page = Mapping[str, Any] | None


def _drawer(ctx: Context, value: object) -> Row:
    query = select(db.drawer).join(db.agent, db.agent.c.id == db.drawer.c.agent_id)
    mine = db.agent.c.organisation_id == ctx.caller.organisation_id
    found = rows(ctx, query.where(db.drawer.c.id == number(value), mine))
    if not found:
        raise missing("memory drawer", value)
    return found[0]


_TESTS: dict[str, Test] = {
    "ids": lambda row, value: row["id"] in {number(one) for one in value},
    "identifier": lambda row, value: row["identifier"] == value,
    "search": lambda row, value: value.casefold() in row["label"].casefold(),
    "shelve": lambda row, value: row["agent_id"] == number(value),
    "agent": lambda row, value: row["agent_id"] == number(value),
}


def register(resolvers: Resolvers) -> None:
    """Attach what concerns drawers."""

    @resolvers.query("memoryDrawer")
    def _one(_parent: object, ctx: Context, id: str) -> Row:  # noqa: A002 - the wire's name
        return _drawer(ctx, id)

    @resolvers.query("memoryDrawers")
    def _list(_parent: object, ctx: Context, filters: Any = None, pagination: Page = None) -> list[Row]:
        query = select(db.drawer).join(db.agent, db.agent.c.id == db.drawer.c.agent_id)
        mine = db.agent.c.organisation_id == ctx.caller.organisation_id
        found = rows(ctx, query.where(mine).order_by(db.drawer.c.id))
        return paged([row for row in found if matches(row, filters, _TESTS)], pagination)

    @resolvers.query("memoryShelve")
    def _shelve_by_id(_parent: object, ctx: Context, id: str) -> Row:  # noqa: A002 - the wire's name
        return shelve_of(agent_by_id(ctx, id))

    @resolvers.mutation("shelveInMemoryDrawer")
    def _shelve(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        seat = broker(ctx).seat_of(party(ctx))
        if seat is None:
            raise Refuse("only an agent has a memory; call ensureAgent first")
        row = {
            "agent_id": seat.id,
            "identifier": input["identifier"],
            "resource_id": input["resourceId"],
            "label": input.get("label") or input["identifier"],
            "description": input.get("description"),
            "created_at": time.time(),
        }
        with ctx.platform.db.begin() as connection:
            inserted = connection.execute(insert(db.drawer).values(row)).inserted_primary_key
            assert inserted is not None
        return _drawer(ctx, inserted[0])

    @resolvers.mutation("unshelveMemoryDrawer")
    def _unshelve(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        seat = broker(ctx).seat_of(party(ctx))
        drawer = _drawer(ctx, input["id"])
        if seat is None or drawer["agent_id"] != seat.id:
            raise Refuse("a drawer is emptied by the agent whose it is", code="FORBIDDEN")
        with ctx.platform.db.begin() as connection:
            connection.execute(delete(db.drawer).where(db.drawer.c.id == drawer["id"]))
        return str(drawer["id"])

    @resolvers.mutation("collect")
    def _collect(_parent: object, ctx: Context, input: dict[str, Any]) -> list[str]:  # noqa: A002 - the wire's name
        by_agent: dict[int, list[str]] = {}
        for value in input["drawers"]:
            drawer = _drawer(ctx, value)
            by_agent.setdefault(drawer["agent_id"], []).append(str(drawer["id"]))
        for agent_id, drawers in by_agent.items():
            broker(ctx).collect(agent_id, drawers)
        return [str(value) for value in input["drawers"]]

    @resolvers.field("MemoryDrawer", "shelve")
    def _shelve_of(drawer: Row, ctx: Context) -> Row:
        return shelve_of(agent_by_id(ctx, drawer["agent_id"]))

    @resolvers.field("MemoryShelve", "drawers")
    def _drawers(shelve: Row, ctx: Context) -> list[Row]:
        return rows(ctx, select(db.drawer).where(db.drawer.c.agent_id == shelve["id"]).order_by(db.drawer.c.id))
