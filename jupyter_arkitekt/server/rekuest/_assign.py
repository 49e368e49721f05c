"""From what a caller names to the offer that runs it, and the task of it."""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, select

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Refuse
from jupyter_arkitekt.server.platform import Platform
from jupyter_arkitekt.server.rekuest._broker import Broker
from jupyter_arkitekt.server.rekuest._definitions import args_hash
from jupyter_arkitekt.server.rekuest._dependencies import Resolved, resolve
from jupyter_arkitekt.server.rekuest._frames import write
from jupyter_arkitekt.server.rekuest._party import Party
from jupyter_arkitekt.server.rekuest._rows import number
from jupyter_arkitekt.server.rekuest._seat import Seat
from jupyter_arkitekt.server.rekuest._task import Task

if TYPE_CHECKING:
    from jupyter_arkitekt.server.rekuest._messages import AssignRequest, ControlRequest

logger = logging.getLogger("arkitekt.rekuest")

_CONTROLS = {
    "CANCEL_REQUEST": "CANCEL",
    "INTERRUPT_REQUEST": "INTERRUPT",
    "PAUSE_REQUEST": "PAUSE",
    "RESUME_REQUEST": "RESUME",
}


def assign(
    platform: Platform,
    broker: Broker,
    party: Party,
    target: Mapping[str, Any],
    args: dict[str, Any],
    **given: Any,
) -> Task:
    """Make the task of a call and hand it to an agent.

    Parameters
    ----------
    target
        What is called: ``implementation``, ``action``, ``actionHash``, or ``agent`` with ``interface``; how its
        dependencies are filled: ``dependencies`` or ``resolution``; and the ``hooks`` around it.
    given
        Further columns of the task.

    Raises
    ------
    Refuse
        If there is no such thing, nobody hosts it now, or an argument has no port.
    """
    offers, what = _offers(platform, party.organisation_id, target)
    offer, _seat = broker.choose(offers, what)
    given.setdefault("reference", None)
    given["reference"] = given["reference"] or str(uuid.uuid4())
    hooks = target.get("hooks") or []
    task = broker.assign(
        broker.new_task(
            party,
            offer,
            args=args,
            args_hash=args_hash(args),
            dependencies=_dependencies(platform, party, offer, target),
            resolution=target.get("resolution"),
            cleanup_hooks=[hook["hash"] for hook in hooks if hook["kind"] == "CLEANUP"],
            **given,
        )
    )
    run_hooks(platform, broker, task, "init", [hook["hash"] for hook in hooks if hook["kind"] == "INIT"])
    return task


def run_hooks(platform: Platform, broker: Broker, task: Task, kind: str, hashes: list[str]) -> None:
    """Call the functions that go before (``init``) or after (``cleanup``) a task, as its children."""
    for index, wanted in enumerate(hashes):
        try:
            assign(
                platform,
                broker,
                broker.parties.get(task.party_id),
                {"actionHash": wanted},
                {"task": str(task.id)},
                reference=f"{kind}_hook_{index}",
                parent_id=task.id,
                root_id=task.root_id or task.id,
            )
        except Refuse as refusal:
            logger.warning("The %s hook %d of task %d was not called: %s", kind, index, task.id, refusal)


def _dependencies(platform: Platform, party: Party, offer: Mapping[str, Any], target: Mapping[str, Any]) -> Resolved:
    if target.get("resolution") is None:
        return resolve(platform, party.organisation_id, offer["dependencies"] or [], target.get("dependencies"))
    kept = select(db.resolution.c.mapping).where(
        db.resolution.c.id == number(target["resolution"]),
        db.resolution.c.organisation_id == party.organisation_id,
        db.resolution.c.implementation_id == offer["id"],
    )
    with platform.db.connect() as connection:
        mapping: Resolved | None = connection.scalar(kept)
    if mapping is None:
        raise Refuse(f"there is no resolution {target['resolution']} of {offer['name']!r}", code="NOT_FOUND")
    return mapping


_OFFER = (
    select(
        *(db.implementation.c[name] for name in ("id", "agent_id", "action_id", "interface", "effect", "dependencies")),
        *(db.action.c[name] for name in ("name", "hash", "idempotent")),
    )
    .join(db.action, db.action.c.id == db.implementation.c.action_id)
    .where(db.action.c.organisation_id == bindparam("organisation"))
    .where(bindparam("agent", type_=Integer).is_(None) | (db.implementation.c.agent_id == bindparam("agent")))
    .order_by(db.implementation.c.id)
)
#: The ways to name a function; made once, since making a statement costs more than running it.
_OFFERS = {
    "action": _OFFER.where(db.action.c.id == bindparam("wanted")),
    "implementation": _OFFER.where(db.implementation.c.id == bindparam("wanted")),
    "actionHash": _OFFER.where(db.action.c.hash == bindparam("wanted")),
    "interface": _OFFER.where(db.implementation.c.interface == bindparam("wanted")),
}


def _offers(platform: Platform, organisation: int, target: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    way = next((name for name in _OFFERS if target.get(name) is not None), None)
    agent = None if target.get("agent") is None else number(target["agent"])
    if way is None or (way == "interface" and agent is None):
        raise Refuse("name what to call: an action, an implementation, an action's hash, or an agent and an interface")
    wanted = number(target[way]) if way in ("action", "implementation") else target[way]
    with platform.db.connect() as connection:
        values = {"organisation": organisation, "agent": agent, "wanted": wanted}
        found = [dict(row) for row in connection.execute(_OFFERS[way], values).mappings()]
    if found:
        return found, repr(found[0]["name"])
    what = f"the {_NAMES[way]} {str(target[way])[:64]}" + ("" if agent is None else f" of the agent {agent}")
    if way == "action" and _exists(platform, organisation, number(wanted)):
        return [], what
    raise Refuse(f"there is no such function here: {what}", code="NOT_FOUND")


_NAMES = {
    "action": "action",
    "implementation": "implementation",
    "actionHash": "action with the hash",
    "interface": "interface",
}


def _exists(platform: Platform, organisation: int, action: int) -> bool:
    same = select(db.action.c.id).where(db.action.c.id == action, db.action.c.organisation_id == organisation)
    with platform.db.connect() as connection:
        return connection.scalar(same) is not None


def assign_from_task(platform: Platform, broker: Broker, seat: Seat, request: AssignRequest) -> str:
    """Make a call from inside of a running task and return the answer's frame."""

    def answer(task: int | None, *, made: bool = True, error: str | None = None) -> str:
        return write(
            "ASSIGN_RESPONSE",
            request=request.id,
            reference=request.reference,
            task=None if task is None else str(task),
            created=made,
            error=error,
        )

    known = broker.of_reference(seat.party, request.reference)
    if known is not None:
        return answer(known, made=False)
    parent = broker.task(number(request.parent)) if request.parent is not None else None
    if parent is None or parent.agent_id != seat.id:
        return answer(None, error="a call from an agent names the running task that makes it, as parent")
    target: dict[str, Any] = {
        "action": request.action,
        "implementation": request.implementation,
        "actionHash": request.action_hash,
        "agent": request.agent,
        "interface": request.interface,
        "resolution": request.resolution,
        "hooks": [hook.model_dump() for hook in request.hooks or ()],
    }
    try:
        if request.dependency is not None:
            target["implementation"] = _of_dependency(broker, parent, request.dependency, request.method)
        task = assign(
            platform,
            broker,
            seat.party,
            target,
            request.args,
            reference=request.reference,
            parent_id=parent.id,
            root_id=parent.root_id or parent.id,
            dependency=request.dependency,
            dependency_method=request.method,
            over_socket=True,
            capture=bool(request.capture),
            step=bool(request.step),
            ephemeral=bool(request.ephemeral),
        )
    except Refuse as refusal:
        return answer(None, error=str(refusal))
    return answer(task.id)


def _of_dependency(broker: Broker, parent: Task, dependency: str, method: str | None) -> int:
    """Choose one of the agents that the parent's dependency was filled with; return its implementation of `method`."""
    agents = [agent for agent in parent.dependencies.get(dependency, ()) if method in agent["actions"]]
    if not agents:
        raise Refuse(f"the task {parent.id} has no dependency {dependency!r} with {method!r}", code="NOT_FOUND")
    seats = [(agent, broker.seat(agent["agent"])) for agent in agents]
    there = [agent for agent, seat in seats if seat is not None and seat.is_live(broker.timing)]
    chosen: int = random.choice(there or agents)["actions"][method]  # noqa: S311 - spreads work, guards nothing
    return chosen


def control_from_agent(broker: Broker, seat: Seat, request: ControlRequest) -> str:
    """Control a task that this agent called, and return the answer's frame."""
    task = broker.task(number(request.task))
    error = None
    if task is None or task.party_id != seat.party.id:
        error = "there is no such unfinished task of this caller"
    else:
        broker.control(task, _CONTROLS[request.type], step=request.step)
        if request.type == "CANCEL_REQUEST" and request.auto_interrupt is not None and not task.is_done:
            broker.interrupt_later(task, request.auto_interrupt)
    return write("CONTROL_RESPONSE", request=request.id, task=request.task, accepted=error is None, error=error)
