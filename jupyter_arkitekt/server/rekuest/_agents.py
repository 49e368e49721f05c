"""Agents: who executes, and what they offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, update

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Resolvers
from jupyter_arkitekt.server.rekuest._actions import Ordering, Page, implementations
from jupyter_arkitekt.server.rekuest._context import broker, rows
from jupyter_arkitekt.server.rekuest._demands import fits_action, fits_state
from jupyter_arkitekt.server.rekuest._party import Party
from jupyter_arkitekt.server.rekuest._rows import Row, Test, matches, missing, number, ordered, paged

#: Offers of one agent; more is a mistake.
_MOST_OFFERS = 1000


def agents(ctx: Context, filters: Mapping[str, Any] | None = None, ordering: Ordering = None) -> list[Row]:
    """Return the organisation's agents as they are now."""
    found = rows(ctx, select(db.agent).where(db.agent.c.organisation_id == ctx.caller.organisation_id))
    offered: dict[int, list[Row]] = {}
    states: dict[int, list[Row]] = {}
    if filters:
        for row in rows(
            ctx,
            select(db.action, db.implementation.c.agent_id, db.implementation.c.interface).join(
                db.implementation, db.implementation.c.action_id == db.action.c.id
            ),
        ):
            offered.setdefault(row["agent_id"], []).append(row)
        for row in rows(ctx, select(db.state)):
            states.setdefault(row["agent_id"], []).append(row)
    for row in found:
        seat = broker(ctx).seat(row["id"])
        row["party"] = broker(ctx).parties.get(row["party_id"])
        row["connected"] = seat is not None and seat.link is not None
        row["active"] = seat is not None and seat.is_live(broker(ctx).timing)
        row["last_seen"] = None if seat is None else seat.last_seen
        row["offered"] = offered.get(row["id"], [])
        row["kept"] = states.get(row["id"], [])
    return ordered([row for row in found if matches(row, filters, _TESTS)], ordering, {"lastSeen": "last_seen"})


_TESTS: dict[str, Test] = {
    "ids": lambda row, value: row["id"] in {number(one) for one in value},
    "clientId": lambda row, value: row["party"].client_id == value,
    "hasImplementations": lambda row, value: set(value) <= {one["interface"] for one in row["offered"]},
    "hasStates": lambda row, value: set(value) <= {one["interface"] for one in row["kept"]},
    "actionDemands": lambda row, value: all(any(fits_action(one, d) for one in row["offered"]) for d in value),
    "stateDemands": lambda row, value: all(any(fits_state(one, d) for one in row["kept"]) for d in value),
    "search": lambda row, value: value.casefold() in row["name"].casefold(),
    "user": lambda row, value: row["party"].sub == value,
    "appIdentifier": lambda row, value: row["party"].app == value,
    "versionNumber": lambda row, value: row["party"].release == value,
    "deviceId": lambda row, value: row["party"].device == value,
}


def agent_by_id(ctx: Context, value: object) -> Row:
    """Return the agent with this id.

    Raises
    ------
    Refuse
        If the organisation has none.
    """
    for row in agents(ctx):
        if row["id"] == number(value):
            return row
    raise missing("agent", value)


def register(resolvers: Resolvers) -> None:
    """Attach what concerns agents."""
    _queries(resolvers)
    _fields(resolvers)
    _management(resolvers)


def _queries(resolvers: Resolvers) -> None:
    @resolvers.query("agent")
    def _agent(
        _parent: object,
        ctx: Context,
        id: str | None = None,  # noqa: A002 - the wire's name
        app: str | None = None,
        version: str | None = None,
        device_id: str | None = None,
    ) -> Row:
        if id is not None:
            return agent_by_id(ctx, id)
        found = agents(ctx, {"appIdentifier": app, "versionNumber": version, "deviceId": device_id})
        if not found:
            raise missing("agent of the app", app)
        return found[0]

    @resolvers.query("agents")
    def _agents(
        _parent: object, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return paged(agents(ctx, filters, ordering), pagination)


def client_of(someone: Party) -> Row:
    """Return the ``Client`` of a party."""
    return {
        "id": someone.client_id,
        "clientId": someone.client_id,
        "name": someone.label,
        "release": release_of(someone),
        "device": device_of(someone),
    }


def release_of(someone: Party) -> Row:
    """Return the ``Release`` of a party's app."""
    return {
        "id": someone.label,
        "version": someone.release,
        "app": {"id": someone.app, "identifier": someone.app},
    }


def device_of(someone: Party) -> Row | None:
    """Return the ``Device`` of a party."""
    return None if someone.device is None else {"id": someone.device, "deviceId": someone.device}


def shelve_of(agent: Row) -> Row:
    """Return the ``MemoryShelve`` of an agent."""
    return {"id": agent["id"], "agent": agent, "name": f"Memory of {agent['name']}", "description": None}


def _fields(resolvers: Resolvers) -> None:
    facts: dict[str, Any] = {
        "client": client_of,
        "user": lambda p: {"id": p.sub, "sub": p.sub},
        "organization": lambda p: {"slug": p.organisation},
        "app": lambda p: {"id": p.app, "identifier": p.app},
        "release": release_of,
        "device": device_of,
    }
    for name, fact in facts.items():

        @resolvers.field("Agent", name)
        def _resolve(agent: Row, _ctx: Context, fact: Any = fact) -> Any:
            return fact(agent["party"])

    @resolvers.field("Agent", "implementations")
    def _implementations(
        agent: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        found = implementations(ctx, filters, ordering)
        return paged([row for row in found if row["agent_id"] == agent["id"]], pagination)

    @resolvers.field("Agent", "memoryShelve")
    def _shelve(agent: Row, _ctx: Context) -> Row:
        return shelve_of(agent)

    @resolvers.field("Agent", "implementation")
    def _implementation(agent: Row, ctx: Context, interface: str) -> Row | None:
        found = implementations(ctx, {"interface": {"exact": interface}})
        return next((row for row in found if row["agent_id"] == agent["id"]), None)

    @resolvers.field("Implementation", "agent")
    def _agent_of(row: Row, ctx: Context) -> Row:
        return agent_by_id(ctx, row["agent_id"])


def _management(resolvers: Resolvers) -> None:
    for name, blocked in (("block", True), ("unblock", False)):

        @resolvers.mutation(name)
        def _block(_parent: object, ctx: Context, input: dict[str, Any], blocked: bool = blocked) -> Row:  # noqa: A002 - the wire's name
            agent = agent_by_id(ctx, input["agent"])
            with ctx.platform.db.begin() as connection:
                connection.execute(update(db.agent).where(db.agent.c.id == agent["id"]).values(blocked=blocked))
            broker(ctx).block(agent["id"], blocked=blocked)
            return agent_by_id(ctx, agent["id"])

    @resolvers.mutation("bounce")
    def _bounce(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        agent = agent_by_id(ctx, input["agent"])
        broker(ctx).say(agent["id"], "BOUNCE", duration=None)
        return agent

    @resolvers.mutation("kick")
    def _kick(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        agent = agent_by_id(ctx, input["agent"])
        broker(ctx).say(agent["id"], "KICK", reason=input.get("reason"))
        return agent

    @resolvers.mutation("updateAgent")
    def _update(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        agent = agent_by_id(ctx, input["id"])
        if input.get("name"):
            with ctx.platform.db.begin() as connection:
                connection.execute(update(db.agent).where(db.agent.c.id == agent["id"]).values(name=input["name"]))
            broker(ctx).add_agent(agent["id"], agent["party"], input["name"])
        return agent_by_id(ctx, agent["id"])

    @resolvers.mutation("deleteAgent")
    def _delete(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        agent = agent_by_id(ctx, input["id"])
        broker(ctx).remove_agent(agent["id"])
        broker(ctx).journal.flush()
        with ctx.platform.db.begin() as connection:
            connection.execute(delete(db.agent).where(db.agent.c.id == agent["id"]))
        ctx.platform.topics.publish(("agents", ctx.caller.organisation_id), ("DELETE", agent["id"]))
        return str(agent["id"])
