"""Bloks: pieces of a user interface, given agents and put on dashboards."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import insert, select

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Resolvers
from jupyter_arkitekt.server.rekuest._agents import agent_by_id
from jupyter_arkitekt.server.rekuest._context import broker, party, rows
from jupyter_arkitekt.server.rekuest._records import every, make, one, serve_delete, serve_one
from jupyter_arkitekt.server.rekuest._rows import Row


def creator_of(row: Row, ctx: Context) -> Row:
    """Return the ``User`` that made `row`."""
    someone = broker(ctx).parties.get(row["creator_id"])
    return {"id": someone.sub, "sub": someone.sub}


def materialize(ctx: Context, blok: object, dashboard: int | None, mappings: list[dict[str, Any]]) -> Row:
    """Give a blok its agents and put it on a dashboard.

    Raises
    ------
    Refuse
        If there is no such blok or agent.
    """
    found = one(ctx, db.blok, blok, "blok")
    agents = [(mapping["key"], agent_by_id(ctx, mapping["agent"])["id"]) for mapping in mappings]
    now = time.time()
    row = make(ctx, db.materialized_blok, blok_id=found["id"], dashboard_id=dashboard, created_at=now, updated_at=now)
    if agents:
        given = {"materialized_blok_id": row["id"], "created_at": now, "updated_at": now}
        with ctx.platform.db.begin() as connection:
            connection.execute(insert(db.blok_mapping), [given | {"key": k, "agent_id": a} for k, a in agents])
    return row


def _yes(_row: Row) -> bool:
    return True


def register(resolvers: Resolvers) -> None:
    """Attach what concerns bloks and dashboards."""
    for name, table, what in (
        ("blok", db.blok, "blok"),
        ("materializedBlok", db.materialized_blok, "materialized blok"),
        ("dashboard", db.dashboard, "dashboard"),
    ):
        serve_one(resolvers, name, table, what)
        serve_delete(resolvers, f"delete{name[0].upper()}{name[1:]}", table, what, _yes)
    _make(resolvers)
    _fields(resolvers)


def _make(resolvers: Resolvers) -> None:
    @resolvers.query("bloks")
    def _bloks(_parent: object, ctx: Context) -> list[Row]:
        return every(ctx, db.blok)

    @resolvers.query("dashboards")
    def _dashboards(_parent: object, ctx: Context) -> list[Row]:
        return every(ctx, db.dashboard)

    @resolvers.mutation("createBlok")
    def _create(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        return make(
            ctx,
            db.blok,
            creator_id=party(ctx).id,
            name=input["name"],
            description=input.get("description"),
            catalog=input.get("catalog"),
            dependencies=input.get("dependencies") or [],
            components=input.get("components") or [],
            demo_state=input.get("demoState") or {},
        )

    @resolvers.mutation("createDashboard")
    def _dashboard(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        bloks = [one(ctx, db.blok, blok, "blok")["id"] for blok in input.get("bloks") or []]
        row = make(ctx, db.dashboard, name=input["name"])
        for blok in bloks:
            materialize(ctx, blok, row["id"], [])
        return row

    @resolvers.mutation("materializeBlok")
    def _materialize(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        dashboard = input.get("dashboard")
        where = None if dashboard is None else one(ctx, db.dashboard, dashboard, "dashboard")["id"]
        return materialize(ctx, input["blok"], where, input.get("agentMappings") or [])


def _fields(resolvers: Resolvers) -> None:
    resolvers.field("Blok", "creator")(creator_of)

    @resolvers.field("Blok", "materializedBloks")
    def _materialized(row: Row, ctx: Context) -> list[Row]:
        return [each for each in every(ctx, db.materialized_blok) if each["blok_id"] == row["id"]]

    @resolvers.field("Blok", "demoState")
    def _demo(row: Row, _ctx: Context) -> Any:
        return row["demo_state"] or {}

    @resolvers.field("MaterializedBlok", "blok")
    def _blok(row: Row, ctx: Context) -> Row:
        return one(ctx, db.blok, row["blok_id"], "blok")

    for name in ("name", "description"):

        @resolvers.field("MaterializedBlok", name)
        def _of_blok(row: Row, ctx: Context, name: str = name) -> Any:
            return one(ctx, db.blok, row["blok_id"], "blok")[name]

    @resolvers.field("MaterializedBlok", "agentMappings")
    def _mappings(row: Row, ctx: Context) -> list[Row]:
        mapped = db.blok_mapping
        return rows(ctx, select(mapped).where(mapped.c.materialized_blok_id == row["id"]).order_by(mapped.c.id))

    @resolvers.field("BlokAgentMapping", "agent")
    def _agent(row: Row, ctx: Context) -> Row:
        return agent_by_id(ctx, row["agent_id"])

    @resolvers.field("BlokAgentMapping", "materializedBlok")
    def _back(row: Row, ctx: Context) -> Row:
        return one(ctx, db.materialized_blok, row["materialized_blok_id"], "materialized blok")

    @resolvers.field("Dashboard", "placements")
    def _placements(row: Row, ctx: Context) -> list[Row]:
        mine = [each for each in every(ctx, db.materialized_blok) if each["dashboard_id"] == row["id"]]
        return [{"id": each["id"], "dashboard": row, "blok": each} for each in mine]
