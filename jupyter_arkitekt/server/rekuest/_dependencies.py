"""Declared dependencies: which agents a function will call, decided when it is called itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Refuse
from jupyter_arkitekt.server.platform import Platform
from jupyter_arkitekt.server.rekuest._demands import fits_action, fits_state
from jupyter_arkitekt.server.rekuest._rows import Row, number

#: Dependency key to the agents that fill it: ``{"agent": id, "actions": {method: implementation id}}``.
Resolved = dict[str, list[dict[str, Any]]]


def resolve(
    platform: Platform,
    organisation: int,
    dependencies: Sequence[Mapping[str, Any]],
    given: Sequence[Mapping[str, Any]] | None,
) -> Resolved:
    """Find agents for each of `dependencies`.

    Parameters
    ----------
    dependencies
        As the implementation declares them.
    given
        What the caller says about them, ``ResolvedDependencyInput``.

    Raises
    ------
    Refuse
        If a dependency that is not optional cannot be filled.
    """
    if not dependencies:
        return {}
    choices = {one["key"]: one for one in given or ()}
    offers = _offers(platform, organisation)
    result: Resolved = {}
    for dependency in dependencies:
        key, choice = dependency["key"], choices.get(dependency["key"], {})
        fitting = [fit for agent in offers.values() if (fit := _fit(agent, dependency)) is not None]
        mapped = {number(one["agent"]) for one in choice.get("mappedAgents") or ()}
        if mapped:
            fitting = [fit for fit in fitting if fit["agent"] in mapped]
        elif not dependency.get("autoResolvable") and not choice.get("autoResolve"):
            fitting = []
        fitting = [fit for fit in fitting if _is_live(platform, fit["agent"]) or mapped]
        most = dependency.get("maxViableInstances")
        fitting = fitting if most is None else fitting[:most]
        least = dependency.get("minViableInstances")
        if len(fitting) >= (1 if least is None else max(least, 1)):
            result[key] = fitting
        elif not dependency.get("optional"):
            raise Refuse(_why(dependency, len(fitting), bool(mapped)), code="NO_AGENT")
    return result


def _why(dependency: Mapping[str, Any], found: int, mapped: bool) -> str:
    key, app = dependency["key"], dependency.get("app") or "any app"
    if mapped:
        return f"the agents that were named for the dependency {key!r} do not offer what it needs"
    if not dependency.get("autoResolvable"):
        return f"the dependency {key!r} is not resolved by itself; name agents for it"
    return (
        f"{found} connected agents of {app} fill the dependency {key!r}, "
        f"{dependency.get('minViableInstances') or 1} are needed; start the app, and call again"
    )


def _is_live(platform: Platform, agent_id: int) -> bool:
    seat = platform.broker.seat(agent_id)
    return seat is not None and seat.is_live(platform.broker.timing)


def _offers(platform: Platform, organisation: int) -> dict[int, Row]:
    """Return the agents of an organisation, each with its app, its implementations and its states."""
    query = (
        select(db.agent.c.id, db.party.c.app, db.party.c.release)
        .join(db.party, db.party.c.id == db.agent.c.party_id)
        .where(db.agent.c.organisation_id == organisation)
    )
    offered = (
        select(db.action, db.implementation.c.agent_id, db.implementation.c.id.label("implementation_id"))
        .join(db.implementation, db.implementation.c.action_id == db.action.c.id)
        .where(db.action.c.organisation_id == organisation)
        .order_by(db.implementation.c.id)
    )
    with platform.db.connect() as connection:
        agents: dict[int, Row] = {
            row["id"]: {**row, "actions": [], "states": []} for row in connection.execute(query).mappings()
        }
        for row in connection.execute(offered).mappings():
            agents[row["agent_id"]]["actions"].append(dict(row))
        for row in connection.execute(select(db.state)).mappings():
            if row["agent_id"] in agents:
                agent = agents[row["agent_id"]]
                agent["states"].append(dict(row) | {"app": row["app"] or agent["app"]})
    return agents


def _fit(agent: Row, dependency: Mapping[str, Any]) -> dict[str, Any] | None:
    if dependency.get("app") not in (None, agent["app"]) or dependency.get("version") not in (None, agent["release"]):
        return None
    chosen: dict[str, int] = {}
    for wanted in dependency.get("actionDependencies") or ():
        demand = wanted.get("demand")
        fitting = [action for action in agent["actions"] if demand is None or fits_action(action, demand)]
        if fitting:
            chosen[wanted["key"]] = fitting[0]["implementation_id"]
        elif not wanted.get("optional"):
            return None
    for wanted in dependency.get("stateDependencies") or ():
        demand = wanted.get("demand")
        fits = any(demand is None or fits_state(state, demand) for state in agent["states"])
        if not fits and not wanted.get("optional"):
            return None
    return {"agent": agent["id"], "actions": chosen}
