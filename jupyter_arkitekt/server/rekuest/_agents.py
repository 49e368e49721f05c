"""Agents: who executes, and what they offer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.rekuest import _definitions as definitions
from jupyter_arkitekt.server.rekuest._actions import Ordering, Page, implementation_by_id, implementations
from jupyter_arkitekt.server.rekuest._context import broker, party, rows
from jupyter_arkitekt.server.rekuest._party import Party
from jupyter_arkitekt.server.rekuest._rows import Row, Test, matches, missing, number, ordered, paged

#: Offers of one agent; more is a mistake.
_MOST_OFFERS = 1000


def agents(ctx: Context, filters: Mapping[str, Any] | None = None, ordering: Ordering = None) -> list[Row]:
    """Return the organisation's agents as they are now."""
    found = rows(ctx, select(db.agent).where(db.agent.c.organisation_id == ctx.caller.organisation_id))
    offered: dict[int, set[str]] = {}
    if filters:
        for row in implementations(ctx):
            offered.setdefault(row["agent_id"], set()).add(row["interface"])
    for row in found:
        seat = broker(ctx).seat(row["id"])
        row["party"] = broker(ctx).parties.get(row["party_id"])
        row["connected"] = seat is not None and seat.link is not None
        row["active"] = seat is not None and seat.is_live(broker(ctx).timing)
        row["last_seen"] = None if seat is None else seat.last_seen
        row["offered"] = offered.get(row["id"], set())
    return ordered([row for row in found if matches(row, filters, _TESTS)], ordering, {"lastSeen": "last_seen"})


_TESTS: dict[str, Test] = {
    "ids": lambda row, value: row["id"] in {number(one) for one in value},
    "clientId": lambda row, value: row["party"].client_id == value,
    "hasImplementations": lambda row, value: set(value) <= row["offered"],
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
    _offers(resolvers)
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
        return {"id": agent["id"], "agent": agent, "name": f"Memory of {agent['name']}", "description": None}

    @resolvers.field("Implementation", "agent")
    def _agent_of(row: Row, ctx: Context) -> Row:
        return agent_by_id(ctx, row["agent_id"])


def _offers(resolvers: Resolvers) -> None:
    @resolvers.mutation("ensureAgent")
    def _ensure(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        if input.get("kind") == "WEBHOOK":
            raise Refuse("this platform speaks to agents over their socket only; webhooks are not served")
        someone = party(ctx)
        name = input.get("name") or someone.label
        with ctx.platform.db.begin() as connection:
            found = connection.scalar(select(db.agent.c.id).where(db.agent.c.party_id == someone.id))
            if found is None:
                row: dict[str, Any] = {
                    "party_id": someone.id,
                    "organisation_id": someone.organisation_id,
                    "name": name,
                    "kind": "WEBSOCKET",
                    "hash": "",
                    "blocked": False,
                    "locks": [],
                    "created_at": time.time(),
                }
                inserted = connection.execute(insert(db.agent).values(row)).inserted_primary_key
                assert inserted is not None
                found = inserted[0]
            else:
                connection.execute(update(db.agent).where(db.agent.c.id == found).values(name=name))
                connection.execute(delete(db.drawer).where(db.drawer.c.agent_id == found))
        broker(ctx).add_agent(found, someone, name)
        return agent_by_id(ctx, found)

    @resolvers.mutation("implementAgent")
    def _implement(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        seat = broker(ctx).seat_of(party(ctx))
        if seat is None:
            raise Refuse("this app is no agent yet; call ensureAgent first")
        offers = input.get("implementations") or []
        if len(offers) > _MOST_OFFERS:
            raise Refuse(f"an agent offers at most {_MOST_OFFERS} functions, this one has {len(offers)}")
        with ctx.platform.db.begin() as connection:
            kept = [_offer(connection, ctx, seat.id, offer) for offer in offers]
            others = db.implementation.c.id.not_in([key for key, _ in kept])
            gone = connection.scalars(
                delete(db.implementation)
                .where(db.implementation.c.agent_id == seat.id, others)
                .returning(db.implementation.c.id)
            ).all()
            values: dict[str, Any] = {"hash": input.get("hash") or "", "locks": input.get("locks") or []}
            if input.get("name"):
                values["name"] = input["name"]
            connection.execute(update(db.agent).where(db.agent.c.id == seat.id).values(values))
        if input.get("name"):
            broker(ctx).add_agent(seat.id, seat.party, input["name"])
        for key, action_id in kept:
            ctx.platform.topics.publish(("implementations", seat.id), ("update", key))
            ctx.platform.topics.publish(("actions", ctx.caller.organisation_id), action_id)
        for key in gone:
            ctx.platform.topics.publish(("implementations", seat.id), ("delete", str(key)))
        return agent_by_id(ctx, seat.id)

    @resolvers.mutation("createImplementation")
    def _create(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        seat = broker(ctx).seat_of(party(ctx))
        if seat is None:
            raise Refuse("this app is no agent yet; call ensureAgent first")
        with ctx.platform.db.begin() as connection:
            key, action_id = _offer(connection, ctx, seat.id, input["implementation"])
        ctx.platform.topics.publish(("implementations", seat.id), ("create", key))
        ctx.platform.topics.publish(("actions", ctx.caller.organisation_id), action_id)
        return implementation_by_id(ctx, key)

    @resolvers.mutation("deleteImplementation")
    def _delete(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        row = implementation_by_id(ctx, input["implementation"])
        with ctx.platform.db.begin() as connection:
            connection.execute(delete(db.implementation).where(db.implementation.c.id == row["id"]))
        ctx.platform.topics.publish(("implementations", row["agent_id"]), ("delete", str(row["id"])))
        return str(row["id"])


def _offer(connection: Connection, ctx: Context, agent_id: int, offer: dict[str, Any]) -> tuple[int, int]:
    """Insert or replace one offer of an agent; return its id and that of its action."""
    action_id = _define(connection, ctx, offer["definition"], offer.get("logo"))
    effect = offer.get("effect") or "NONE"
    if effect == "PHYSICAL" and offer["definition"].get("pure"):
        raise Refuse(f"{offer['definition']['name']!r} moves things (PHYSICAL), so it cannot be pure")
    interface = offer.get("interface") or offer["definition"]["key"]
    row = {
        "action_id": action_id,
        "params": offer.get("params"),
        "dependencies": offer.get("dependencies") or [],
        "tracks": offer.get("tracks") or [],
        "locks": offer.get("locks") or [],
        "optimistics": offer.get("optimistics") or [],
        "manipulates": offer.get("manipulates") or [],
        "provenance_audience": offer.get("provenanceAudience"),
        "needs_token": offer.get("needsToken", True) is not False,
        "effect": effect,
    }
    same = (db.implementation.c.agent_id == agent_id, db.implementation.c.interface == interface)
    found = connection.scalar(select(db.implementation.c.id).where(*same))
    if found is None:
        made = insert(db.implementation).values(agent_id=agent_id, interface=interface, created_at=time.time(), **row)
        inserted = connection.execute(made).inserted_primary_key
        assert inserted is not None
        found = inserted[0]
    else:
        connection.execute(update(db.implementation).where(db.implementation.c.id == found).values(row))
    return int(found), action_id


def _define(connection: Connection, ctx: Context, given: dict[str, Any], logo: str | None) -> int:
    """Insert or replace an action and return its id."""
    pure = bool(given.get("pure"))
    if pure and given.get("stateful"):
        raise Refuse(f"{given['name']!r} is stateful, so it cannot be pure")
    definition: dict[str, Any] = {
        "key": given["key"],
        "version": given["version"],
        "name": given["name"],
        "description": given.get("description"),
        "stateful": bool(given.get("stateful")),
        "collections": given.get("collections") or [],
        "testTargets": [definitions.test_target(target) for target in given.get("isTestFor") or []],
        "args": [definitions.arg_port(port) for port in given.get("args") or []],
        "returns": [definitions.return_port(port) for port in given.get("returns") or []],
    }
    row = {
        "organisation": ctx.caller.organisation,
        "hash": definitions.action_hash(definition),
        **{name: definition[name] for name in ("name", "description", "stateful", "collections", "args", "returns")},
        "test_targets": definition["testTargets"],
        "kind": given["kind"],
        "port_groups": given.get("portGroups") or [],
        "interfaces": given.get("interfaces") or [],
        "logo": logo,
        "pure": pure,
        "idempotent": pure or bool(given.get("idempotent")),
        "allow_probe": bool(given.get("allowProbe")),
        "is_dev": bool(given.get("isDev")),
        "defined_at": time.time(),
    }
    key = {
        "organisation_id": ctx.caller.organisation_id,
        "app": ctx.caller.app,
        "key": given["key"],
        "version": given["version"],
    }
    found = connection.scalar(select(db.action.c.id).filter_by(**key))
    if found is None:
        inserted = connection.execute(insert(db.action).values(**key, **row)).inserted_primary_key
        assert inserted is not None
        return int(inserted[0])
    connection.execute(update(db.action).where(db.action.c.id == found).values(row))
    return int(found)


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

    @resolvers.mutation("deleteAgent")
    def _delete(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        agent = agent_by_id(ctx, input["id"])
        broker(ctx).remove_agent(agent["id"])
        broker(ctx).journal.flush()
        with ctx.platform.db.begin() as connection:
            connection.execute(delete(db.agent).where(db.agent.c.id == agent["id"]))
        return str(agent["id"])
