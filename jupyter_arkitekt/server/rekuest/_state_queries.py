"""States and sessions for GraphQL: what they are, were, and become."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.rekuest._agents import agent_by_id, agents
from jupyter_arkitekt.server.rekuest._context import rows
from jupyter_arkitekt.server.rekuest._demands import fits_state
from jupyter_arkitekt.server.rekuest._rows import Row, Test, matches, missing, number, ordered, paged
from jupyter_arkitekt.server.rekuest._states import value_at
from jupyter_arkitekt.server.rekuest._tasks import task_by_id

Page = Mapping[str, Any] | None
Ordering = list[dict[str, Any]] | None

_MOST_PATCHES = 10_000


def states(ctx: Context) -> list[Row]:
    """Return the states that the organisation's agents offer."""
    query = (
        select(db.state, db.party.c.app.label("agent_app"))
        .join(db.agent, db.agent.c.id == db.state.c.agent_id)
        .join(db.party, db.party.c.id == db.agent.c.party_id)
        .where(db.agent.c.organisation_id == ctx.caller.organisation_id)
        .order_by(db.state.c.id)
    )
    return [row | {"app": row["app"] or row["agent_app"]} for row in rows(ctx, query)]


def state_by_id(ctx: Context, value: object) -> Row:
    """Return the state with this id.

    Raises
    ------
    Refuse
        If the organisation has none.
    """
    for row in states(ctx):
        if row["id"] == number(value):
            return row
    raise missing("state", value)


_SESSION_TESTS: dict[str, Test] = {
    "ids": lambda row, value: row["id"] in {number(one) for one in value} or row["session"] in value,
    "agent": lambda row, value: row["agent_id"] == number(value),
}


def _sessions(ctx: Context, filters: Any = None, ordering: Ordering = None) -> list[Row]:
    query = select(db.session).join(db.agent, db.agent.c.id == db.session.c.agent_id)
    found = rows(ctx, query.where(db.agent.c.organisation_id == ctx.caller.organisation_id))
    kept = [row for row in found if matches(row, filters, _SESSION_TESTS)]
    return ordered(kept, ordering, {"startedAt": "started_at", "endedAt": "ended_at"})


def _reports(ctx: Context, table: Any) -> Select[Any]:
    return (
        select(table, db.state.c.interface, db.session.c.session)
        .join(db.state, db.state.c.id == table.c.state_id)
        .join(db.session, db.session.c.id == table.c.session_id)
        .join(db.agent, db.agent.c.id == db.state.c.agent_id)
        .where(db.agent.c.organisation_id == ctx.caller.organisation_id)
        .order_by(table.c.revision, table.c.id)
        .limit(_MOST_PATCHES)
    )


def register(resolvers: Resolvers) -> None:
    """Attach what concerns states."""
    _queries(resolvers)
    _checkout(resolvers)
    _fields(resolvers)
    _feeds(resolvers)


def _queries(resolvers: Resolvers) -> None:
    @resolvers.query("state")
    def _state(_parent: object, ctx: Context, id: str) -> Row:  # noqa: A002 - the wire's name
        return state_by_id(ctx, id)

    @resolvers.query("states")
    def _states(_parent: object, ctx: Context) -> list[Row]:
        return states(ctx)

    @resolvers.query("stateFor")
    def _state_for(
        _parent: object,
        ctx: Context,
        agent: str,
        state_hash: str | None = None,
        demand: dict[str, Any] | None = None,
    ) -> Row:
        for row in states(ctx):
            if (
                row["agent_id"] == number(agent)
                and (state_hash is None or row["hash"] == state_hash)
                and (demand is None or fits_state(row, demand))
            ):
                return row
        raise missing("state of the agent", agent)

    @resolvers.query("session")
    def _session(_parent: object, ctx: Context, id: str) -> Row:  # noqa: A002 - the wire's name
        found = _sessions(ctx, {"ids": [id]})
        if not found:
            raise missing("session", id)
        return found[0]

    @resolvers.query("sessions")
    def _all(
        _parent: object, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return paged(_sessions(ctx, filters, ordering), pagination)

    @resolvers.query("patchEventsBetweenGlobalRevs")
    def _between(
        _parent: object,
        ctx: Context,
        from_global_revision: int,
        to_global_revision: int,
        state_ids: list[str] | None = None,
        session_id: str | None = None,
    ) -> list[Row]:
        query = _reports(ctx, db.patch).where(
            db.patch.c.revision >= from_global_revision, db.patch.c.revision <= to_global_revision
        )
        if state_ids is not None:
            query = query.where(db.patch.c.state_id.in_([number(one) for one in state_ids]))
        if session_id is not None:
            query = query.where((db.session.c.session == session_id) | (db.session.c.id == number(session_id)))
        return rows(ctx, query)


def _checkout(resolvers: Resolvers) -> None:
    @resolvers.query("checkout")
    def _resolve(
        _parent: object,
        ctx: Context,
        state: str,
        session_id: str | None = None,
        global_revision: int | None = None,
        timestamp: datetime | None = None,
        forward_patch_count: int | None = 0,
        backward_patch_count: int | None = 0,
    ) -> Row:
        found = state_by_id(ctx, state)
        with ctx.platform.db.connect() as connection:
            value = value_at(
                connection,
                found["id"],
                session=session_id,
                revision=global_revision,
                timestamp=None if timestamp is None else timestamp.timestamp(),
            )
        if value is None:
            raise Refuse(f"the state {found['interface']!r} has no value at that point", code="NOT_FOUND")
        same = _reports(ctx, db.patch).where(
            db.patch.c.state_id == found["id"], db.patch.c.session_id == value["session_id"]
        )
        later = same.where(db.patch.c.revision > value["revision"]).limit(max(forward_patch_count or 0, 0))
        before = same.where(db.patch.c.revision <= value["revision"]).order_by(None)
        before = before.order_by(db.patch.c.revision.desc()).limit(max(backward_patch_count or 0, 0))
        return {
            "stateId": found["id"],
            "value": value["value"],
            "globalRevision": value["revision"],
            "forwardPatches": rows(ctx, later),
            "backwardPatches": rows(ctx, before)[::-1],
        }


def _fields(resolvers: Resolvers) -> None:
    for typename in ("State", "Session"):

        @resolvers.field(typename, "agent")
        def _agent(row: Row, ctx: Context) -> Row:
            return agent_by_id(ctx, row["agent_id"])

    @resolvers.field("State", "definition")
    def _definition(state: Row, _ctx: Context) -> Row:
        return {"id": state["hash"], "hash": state["hash"], "name": state["name"], "ports": state["ports"]}

    @resolvers.field("State", "appIdentifier")
    def _app(state: Row, _ctx: Context) -> str:
        app: str = state["app"]
        return app

    for typename, table in (("snapshots", db.snapshot), ("patches", db.patch)):

        @resolvers.field("Session", typename)
        def _reported(session: Row, ctx: Context, table: Any = table) -> list[Row]:
            return rows(ctx, _reports(ctx, table).where(table.c.session_id == session["id"]))

    for typename in ("Patch", "Snapshot"):

        @resolvers.field(typename, "state")
        def _state_of(row: Row, ctx: Context) -> Row:
            return state_by_id(ctx, row["state_id"])

        @resolvers.field(typename, "sessionId")
        def _session_of(row: Row, _ctx: Context) -> str:
            session: str = row["session"]
            return session

    @resolvers.field("Patch", "task")
    def _task(row: Row, ctx: Context) -> Row | None:
        return None if row["task_id"] is None else task_by_id(ctx, row["task_id"])

    @resolvers.field("Patch", "patch")
    def _patch(row: Row, _ctx: Context) -> Row:
        return row

    for typename, name, step in (
        ("Patch", "globalCurrentRevision", -1),
        ("Patch", "globalFutureRevision", 0),
        ("Snapshot", "globalRevision", 0),
    ):

        @resolvers.field(typename, name)
        def _revision(row: Row, _ctx: Context, step: int = step) -> int:
            return int(row["revision"]) + step

    @resolvers.field("Agent", "states")
    def _of_agent(agent: Row, ctx: Context) -> list[Row]:
        return [row for row in states(ctx) if row["agent_id"] == agent["id"]]

    @resolvers.field("Agent", "sessions")
    def _sessions_of(
        agent: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return paged([row for row in _sessions(ctx, filters, ordering) if row["agent_id"] == agent["id"]], pagination)

    @resolvers.field("Implementation", "manipulates")
    def _manipulates(row: Row, ctx: Context) -> list[Row]:
        names = set(row["manipulates"] or ())
        return [one for one in states(ctx) if one["agent_id"] == row["agent_id"] and one["interface"] in names]


def _changed(row: Row) -> Row:
    return {
        "__typename": "StatePatchEvent",
        "stateId": row["state_id"],
        "agentId": row["agent_id"],
        "interface": row["interface"],
        "op": row["op"],
        "path": row["path"],
        "value": row["value"],
        "globalRevision": row["revision"],
        "sessionId": row["session"],
        "timestamp": row["timestamp"],
    }


def _values(ctx: Context, found: list[Row]) -> list[tuple[Row, Row]]:
    with ctx.platform.db.connect() as connection:
        values = [(row, value_at(connection, row["id"])) for row in found]
    return [(row, value) for row, value in values if value is not None]


def _feeds(resolvers: Resolvers) -> None:
    @resolvers.subscription("latestPatches")
    async def _latest(
        _parent: object, ctx: Context, state: str | None = None, agent: str | None = None
    ) -> AsyncIterator[Row]:
        wanted = {row["id"] for row in _chosen(ctx, state, agent, None)}
        async with ctx.platform.topics.subscribe(*(("state", one) for one in wanted)) as feed:
            async for row in feed:
                yield row

    @resolvers.subscription("stateUpdateEvents")
    async def _updates(_parent: object, ctx: Context, state_id: str) -> AsyncIterator[Row]:
        found = state_by_id(ctx, state_id)
        async with ctx.platform.topics.subscribe(("state", found["id"])) as feed:
            async for row in feed:
                yield found | {"updated_at": row["timestamp"]}

    @resolvers.subscription("watchState")
    async def _watch(
        _parent: object,
        ctx: Context,
        state_id: str | None = None,
        agent_id: str | None = None,
        interface: str | None = None,
    ) -> AsyncIterator[Row]:
        wanted = _chosen(ctx, state_id, agent_id, interface)
        async with ctx.platform.topics.subscribe(*(("state", row["id"]) for row in wanted)) as feed:
            for row, value in _values(ctx, wanted):
                yield {
                    "__typename": "StateSnapshotEvent",
                    "stateId": row["id"],
                    "agentId": row["agent_id"],
                    "interface": row["interface"],
                    "value": value["value"],
                    "globalRevision": value["revision"],
                    "sessionId": value["session"],
                    "timestamp": value["timestamp"],
                }
            async for change in feed:
                yield _changed(change)

    @resolvers.subscription("watchAgent")
    async def _watch_agent(_parent: object, ctx: Context, agent_id: str) -> AsyncIterator[Row]:
        agent = agent_by_id(ctx, agent_id)
        async with ctx.platform.topics.subscribe(("agent-states", agent["id"])) as feed:
            values = _values(ctx, [row for row in states(ctx) if row["agent_id"] == agent["id"]])
            if values:
                newest = max((value for _, value in values), key=lambda value: float(value["timestamp"]))
                yield {
                    "__typename": "AgentSnapshotEvent",
                    "agentId": agent["id"],
                    "values": {row["interface"]: value["value"] for row, value in values},
                    "globalRevision": newest["revision"],
                    "sessionId": newest["session"],
                    "timestamp": newest["timestamp"],
                }
            async for change in feed:
                yield _changed(change)

    @resolvers.subscription("agents")
    async def _agents(_parent: object, ctx: Context) -> AsyncIterator[Row]:
        async with ctx.platform.topics.subscribe(("agents", ctx.caller.organisation_id)) as feed:
            async for kind, number_ in feed:
                nothing: Row = {"create": None, "update": None, "delete": None}
                if kind == "DELETE":
                    yield nothing | {"delete": number_}
                    continue
                for row in agents(ctx, {"ids": [str(number_)]}):
                    yield nothing | {"create" if kind == "CREATE" else "update": _agent_change(row, kind)}


def _agent_change(row: Row, kind: str) -> Row:
    someone = row["party"]
    return row | {
        "latestEvent": "CONNECT" if kind == "CONNECT" else "DISCONNECT",
        "client": someone.client_id,
        "user": someone.sub,
        "organization": someone.organisation,
        "app": someone.app,
        "release": someone.label,
    }


def _chosen(ctx: Context, state: str | None, agent: str | None, interface: str | None) -> list[Row]:
    if state is not None:
        return [state_by_id(ctx, state)]
    if agent is None:
        raise Refuse("name a state or an agent", code="BAD_INPUT")
    found = agent_by_id(ctx, agent)["id"]
    return [
        row for row in states(ctx) if row["agent_id"] == found and (interface is None or row["interface"] == interface)
    ]
