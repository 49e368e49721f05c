"""What an agent offers: functions, states, locks and bloks, each offer replacing the one before."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.rekuest import _definitions as definitions
from jupyter_arkitekt.server.rekuest._actions import implementation_by_id
from jupyter_arkitekt.server.rekuest._agents import agent_by_id
from jupyter_arkitekt.server.rekuest._context import broker, party
from jupyter_arkitekt.server.rekuest._rows import Row, number
from jupyter_arkitekt.server.rekuest._seat import Seat

#: Offers of one agent; more is a mistake.
_MOST_OFFERS = 1000


def register(resolvers: Resolvers) -> None:
    """Attach what agents use to say who they are and what they offer."""

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
            is_new = broker(ctx).seat(found) is None
        broker(ctx).add_agent(found, someone, name)
        if is_new:
            ctx.platform.topics.publish(("agents", someone.organisation_id), ("CREATE", found))
        return agent_by_id(ctx, found)

    @resolvers.mutation("implementAgent")
    def _implement(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        seat = _own_seat(ctx)
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
            _offer_states(connection, seat.id, input.get("states") or [])
            _offer_bloks(connection, ctx, seat, input.get("bloks") or [])
            values: dict[str, Any] = {
                "hash": input.get("hash") or "",
                "locks": input.get("locks") or [],
                "name": input.get("name") or seat.name,
            }
            connection.execute(update(db.agent).where(db.agent.c.id == seat.id).values(values))
        broker(ctx).states.forget(seat.id)
        broker(ctx).add_agent(seat.id, seat.party, values["name"])
        for key, action_id in kept:
            _announce(ctx, seat, "update", key, action_id)
        for key in gone:
            ctx.platform.topics.publish(("implementations", seat.id), ("delete", str(key)))
        return agent_by_id(ctx, seat.id)

    @resolvers.mutation("createImplementation")
    def _create(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        seat = _own_seat(ctx)
        with ctx.platform.db.begin() as connection:
            key, action_id = _offer(connection, ctx, seat.id, input["implementation"])
        _announce(ctx, seat, "create", key, action_id)
        return implementation_by_id(ctx, key)

    @resolvers.mutation("deleteImplementation")
    def _delete(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        row = implementation_by_id(ctx, input["implementation"])
        with ctx.platform.db.begin() as connection:
            connection.execute(delete(db.implementation).where(db.implementation.c.id == row["id"]))
        ctx.platform.topics.publish(("implementations", row["agent_id"]), ("delete", str(row["id"])))
        return str(row["id"])

    @resolvers.mutation("cleanupActions")
    def _cleanup(_parent: object, ctx: Context, action_ids: list[str] | None = None) -> int:
        unused = delete(db.action).where(
            db.action.c.organisation_id == ctx.caller.organisation_id,
            db.action.c.id.not_in(select(db.implementation.c.action_id)),
            db.action.c.id.not_in(select(db.task.c.action_id)),  # what ran stays explained
        )
        if action_ids is not None:
            unused = unused.where(db.action.c.id.in_([number(one) for one in action_ids]))
        with ctx.platform.db.begin() as connection:
            return connection.execute(unused).rowcount


def _own_seat(ctx: Context) -> Seat:
    seat = broker(ctx).seat_of(party(ctx))
    if seat is None:
        raise Refuse("this app is no agent yet; call ensureAgent first")
    return seat


def _announce(ctx: Context, seat: Seat, kind: str, implementation: int, action: int) -> None:
    ctx.platform.topics.publish(("implementations", seat.id), (kind, implementation))
    ctx.platform.topics.publish(("actions", ctx.caller.organisation_id), action)


def _offer_states(connection: Connection, agent_id: int, offered: list[dict[str, Any]]) -> None:
    """Make the states of an agent those in `offered`; the others go, with what was reported of them."""
    now = time.time()
    names = [one["interface"] for one in offered]
    gone = (db.state.c.agent_id == agent_id, db.state.c.interface.not_in(names))
    connection.execute(delete(db.state).where(*gone))
    for one in offered:
        ports = [definitions.return_port(port) for port in one["definition"]["ports"]]
        row = {
            "key": one.get("key"),
            "app": one.get("app"),
            "name": one["definition"]["name"],
            "hash": definitions.state_hash(ports),
            "ports": ports,
            "updated_at": now,
        }
        same = (db.state.c.agent_id == agent_id, db.state.c.interface == one["interface"])
        if connection.execute(update(db.state).where(*same).values(row)).rowcount == 0:
            fixed = {"agent_id": agent_id, "interface": one["interface"], "created_at": now}
            connection.execute(insert(db.state).values(row | fixed))


def _offer_bloks(connection: Connection, ctx: Context, seat: Seat, offered: list[dict[str, Any]]) -> None:
    names = [one["key"] for one in offered]
    connection.execute(delete(db.blok).where(db.blok.c.agent_id == seat.id, db.blok.c.name.not_in(names)))
    for one in offered:
        row = {
            "description": one.get("description"),
            "catalog": one.get("catalog"),
            "dependencies": one.get("dependencies") or [],
            "components": one["components"],
            "demo_state": one.get("demoState") or {},
        }
        same = (db.blok.c.agent_id == seat.id, db.blok.c.name == one["key"])
        if connection.execute(update(db.blok).where(*same).values(row)).rowcount == 0:
            fixed = {"organisation_id": ctx.caller.organisation_id, "creator_id": seat.party.id, "agent_id": seat.id}
            connection.execute(insert(db.blok).values(row | fixed | {"name": one["key"]}))


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
