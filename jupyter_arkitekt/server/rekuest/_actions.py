"""Actions and implementations: what can be called, and who offers it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from sqlalchemy import func, select

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Resolvers
from jupyter_arkitekt.server.rekuest._context import broker, party, rows
from jupyter_arkitekt.server.rekuest._demands import fits_action, fits_ports
from jupyter_arkitekt.server.rekuest._rows import Row, Test, matches, missing, number, ordered, paged, text_fits

Page = Mapping[str, Any] | None
Ordering = list[dict[str, Any]] | None


def _ids(row: Row, value: list[str]) -> bool:
    return row["id"] in {number(one) for one in value}


_ACTION_TESTS: dict[str, Test] = {
    "name": lambda row, value: text_fits(row["name"], value),
    "search": lambda row, value: value.casefold() in row["name"].casefold(),
    "ids": _ids,
    "demands": lambda row, value: all(fits_ports(row, demand) for demand in value),
    "protocols": lambda row, value: set(value) <= set(row["interfaces"] or ()),
    "kind": lambda row, value: row["kind"] == value,
    "inCollection": lambda row, value: value in (row["collections"] or ()),
    "stateful": lambda row, value: row["stateful"] == value,
    "appIdentifier": lambda row, value: row["app"] == value,
    "usedBefore": lambda row, value: row["used_at"] is not None and row["used_at"] < value.timestamp(),
    "usedAfter": lambda row, value: row["used_at"] is not None and row["used_at"] > value.timestamp(),
}


def actions(ctx: Context, filters: Mapping[str, Any] | None = None, ordering: Ordering = None) -> list[Row]:
    """Return the organisation's actions that somebody offers, with when they were called last."""
    used = (
        select(db.task.c.action_id, func.max(db.task.c.created_at).label("used_at"))
        .group_by(db.task.c.action_id)
        .subquery()
    )
    offered = select(db.implementation.c.action_id)
    query = (
        select(db.action, used.c.used_at)
        .outerjoin(used, used.c.action_id == db.action.c.id)
        .where(db.action.c.organisation_id == ctx.caller.organisation_id, db.action.c.id.in_(offered))
    )
    found = [row for row in rows(ctx, query) if matches(row, filters, _ACTION_TESTS)]
    return ordered(found, ordering, {"definedAt": "defined_at", "usedAt": "used_at"})


def implementations(ctx: Context, filters: Mapping[str, Any] | None = None, ordering: Ordering = None) -> list[Row]:
    """Return the organisation's implementations; ``active`` says whether their agent is there."""
    query = (
        select(db.implementation, db.action.c.hash.label("action_hash"), db.action.c.name.label("action_name"))
        .join(db.action, db.action.c.id == db.implementation.c.action_id)
        .where(db.action.c.organisation_id == ctx.caller.organisation_id)
    )
    found = rows(ctx, query)
    for row in found:
        seat = broker(ctx).seat(row["agent_id"])
        row["active"] = seat is not None and seat.is_live(broker(ctx).timing)
    wanted = set(filters or ())
    if wanted & {"agent", "AND", "OR", "NOT"}:
        _describe_agents(ctx, found)
    if wanted & {"action", "actionDemand", "AND", "OR", "NOT"}:
        by_id = {row["id"]: row for row in actions(ctx)}
        for row in found:
            row["action"] = by_id[row["action_id"]]
    found = [row for row in found if matches(row, filters, _IMPLEMENTATION_TESTS)]
    return ordered(found, ordering, {"createdAt": "created_at", "active": "active"})


def _describe_agents(ctx: Context, found: list[Row]) -> None:
    """Add to each implementation what filters ask of its agent."""
    offered: dict[int, set[str]] = {}
    states: dict[int, set[str]] = {}
    for row in found:
        offered.setdefault(row["agent_id"], set()).add(row["interface"])
    for row in rows(ctx, select(db.state.c.agent_id, db.state.c.interface)):
        states.setdefault(row["agent_id"], set()).add(row["interface"])
    for row in found:
        seat = broker(ctx).seat(row["agent_id"])
        row["client_id"] = None if seat is None else seat.party.client_id
        row["offered"] = offered[row["agent_id"]]
        row["states"] = states.get(row["agent_id"], set())


_AGENT_TESTS: dict[str, Test] = {
    "ids": lambda row, value: row["agent_id"] in {number(one) for one in value},
    "clientId": lambda row, value: row["client_id"] == value,
    "hasImplementations": lambda row, value: set(value) <= row["offered"],
    "hasStates": lambda row, value: set(value) <= row["states"],
}
_IMPLEMENTATION_TESTS: dict[str, Test] = {
    "interface": lambda row, value: text_fits(row["interface"], value),
    "action": lambda row, value: matches(
        row["action"],
        {**value, "name": None, "search": value.get("search") or value.get("name")},
        _ACTION_TESTS,
    ),
    "agent": lambda row, value: matches(row, value, _AGENT_TESTS),
    "active": lambda row, value: row["active"] == value,
    "ids": _ids,
    "actionHash": lambda row, value: row["action_hash"] == value,
    "search": lambda row, value: value.casefold() in f"{row['action_name']} {row['interface']}".casefold(),
    "actionDemand": lambda row, value: fits_action(row["action"], value),
}


def action_by_id(ctx: Context, value: object) -> Row:
    """Return the action with this id.

    Raises
    ------
    Refuse
        If the organisation has none.
    """
    mine = db.action.c.organisation_id == ctx.caller.organisation_id
    found = rows(ctx, select(db.action).where(mine, db.action.c.id == number(value)))
    if not found:
        raise missing("action", value)
    return found[0]


def implementation_by_id(ctx: Context, value: object) -> Row:
    """Return the implementation with this id.

    Raises
    ------
    Refuse
        If the organisation has none.
    """
    found = implementations(ctx, {"ids": [str(value)]})
    if not found:
        raise missing("implementation", value)
    return found[0]


def register(resolvers: Resolvers) -> None:
    """Attach what concerns actions and implementations."""
    _queries(resolvers)
    _fields(resolvers)

    @resolvers.subscription("newActions")
    async def _new(_parent: object, ctx: Context) -> AsyncIterator[Row]:
        async with ctx.platform.topics.subscribe(("actions", ctx.caller.organisation_id)) as feed:
            async for action_id in feed:
                yield action_by_id(ctx, action_id)

    @resolvers.subscription("implementations")
    async def _changed(_parent: object, ctx: Context, agent: str) -> AsyncIterator[Row]:
        async with ctx.platform.topics.subscribe(("implementations", number(agent))) as feed:
            async for kind, value in feed:
                change = {"create": None, "update": None, "delete": None}
                yield change | {kind: value if kind == "delete" else implementation_by_id(ctx, value)}


def _queries(resolvers: Resolvers) -> None:
    @resolvers.query("action")
    def _action(_parent: object, ctx: Context, **by: Any) -> Row:
        return _find_action(ctx, {name: value for name, value in by.items() if value is not None})

    @resolvers.query("actions")
    def _actions(
        _parent: object, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return paged(actions(ctx, filters, ordering), pagination)

    @resolvers.query("implementation")
    def _implementation(_parent: object, ctx: Context, id: str) -> Row:  # noqa: A002 - the wire's name
        return implementation_by_id(ctx, id)

    @resolvers.query("implementations")
    def _implementations(
        _parent: object, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return paged(implementations(ctx, filters, ordering), pagination)

    @resolvers.query("myImplementationAt")
    def _mine(_parent: object, ctx: Context, action_id: str | None = None, interface: str | None = None) -> Row:
        seat = broker(ctx).seat_of(party(ctx))
        return _at(ctx, 0 if seat is None else seat.id, interface=interface, action_id=action_id)

    @resolvers.query("implementationAt")
    def _there(
        _parent: object,
        ctx: Context,
        agent: str,
        interface: str | None = None,
        action_hash: str | None = None,
        demand: dict[str, Any] | None = None,
    ) -> Row:
        return _at(ctx, number(agent), interface=interface, action_hash=action_hash, demand=demand)


def _at(
    ctx: Context,
    agent: int,
    *,
    interface: str | None = None,
    action_id: str | None = None,
    action_hash: str | None = None,
    demand: dict[str, Any] | None = None,
) -> Row:
    for row in implementations(ctx, {"agent": {"ids": [str(agent)]}, "actionDemand": demand}):
        if (
            (interface is None or row["interface"] == interface)
            and (action_id is None or row["action_id"] == number(action_id))
            and (action_hash is None or row["action_hash"] == action_hash)
        ):
            return row
    raise missing("implementation", interface or action_id or action_hash or "of this agent")


def _find_action(ctx: Context, by: dict[str, Any]) -> Row:
    if "task" in by:
        task = rows(ctx, select(db.task.c.action_id).where(db.task.c.id == number(by["task"])))
        return action_by_id(ctx, task[0]["action_id"] if task else 0)
    if "implementation" in by:
        return action_by_id(ctx, implementation_by_id(ctx, by["implementation"])["action_id"])
    if "hash" in by or "matching" in by:
        for row in actions(ctx):
            if row["hash"] == by.get("hash") or ("matching" in by and fits_action(row, by["matching"])):
                return row
        raise missing("action", by.get("hash", "that fits"))
    if "agent" in by and "interface" in by:
        return action_by_id(ctx, _at(ctx, number(by["agent"]), interface=by["interface"])["action_id"])
    return action_by_id(ctx, by.get("id", ""))


def _fields(resolvers: Resolvers) -> None:
    @resolvers.field("Action", "app")
    def _app(action: Row, _ctx: Context) -> Row:
        return {"id": action["app"], "identifier": action["app"]}

    @resolvers.field("Action", "organization")
    def _organisation(action: Row, _ctx: Context) -> Row:
        return {"slug": action["organisation"]}

    @resolvers.field("Action", "collections")
    def _collections(action: Row, _ctx: Context) -> list[Row]:
        return [{"id": name, "name": name} for name in action["collections"] or ()]

    @resolvers.field("Collection", "actions")
    def _members(
        collection: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        found = actions(ctx, filters, ordering)
        return paged([row for row in found if collection["name"] in (row["collections"] or ())], pagination)

    @resolvers.field("Action", "isTestFor")
    def _is_test_for(
        action: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        targets = action["test_targets"] or []
        found = [row for row in actions(ctx, filters, ordering) if any(_is_target(action, row, t) for t in targets)]
        return paged(found, pagination)

    @resolvers.field("Action", "tests")
    def _tests(
        action: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        found = actions(ctx, filters, ordering)
        return paged(
            [row for row in found if any(_is_target(row, action, t) for t in row["test_targets"] or ())], pagination
        )

    @resolvers.field("Implementation", "tracks")
    def _tracks(row: Row, _ctx: Context) -> list[Row]:
        return row["tracks"] or []

    for name in ("portGroups", "interfaces"):
        _listed(resolvers, name)

    @resolvers.field("Action", "implementations")
    def _offers(
        action: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        found = implementations(ctx, filters, ordering)
        return paged([row for row in found if row["action_id"] == action["id"]], pagination)

    @resolvers.field("Implementation", "action")
    def _action_of(row: Row, ctx: Context) -> Row:
        return action_by_id(ctx, row["action_id"])

    @resolvers.field("Implementation", "name")
    def _name(row: Row, _ctx: Context) -> str:
        return f"{row['action_name']} ({row['interface']})"

    @resolvers.field("Implementation", "params")
    def _params(row: Row, _ctx: Context) -> Any:
        return row["params"] if row["params"] is not None else {}


def _listed(resolvers: Resolvers, name: str) -> None:
    column = {"portGroups": "port_groups", "interfaces": "interfaces"}[name]

    @resolvers.field("Action", name)
    def _resolve(action: Row, _ctx: Context) -> list[Any]:
        return action[column] or []


def _is_target(action: Row, row: Row, target: Row) -> bool:
    if target.get("hash"):
        return bool(row["hash"] == target["hash"])
    return (
        row["key"] == target["key"]
        and row["app"] == (target.get("app") or action["app"])
        and (target.get("version") is None or row["version"] == target["version"])
    )
