"""Calls through a real platform: a caller over GraphQL, an agent on its socket, both by hand."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from jupyter_arkitekt.testing import Served
from jupyter_arkitekt.testing._wire import (
    Caller,
    Json,
    Listener,
    RawAgent,
    Refused,
    definition,
    offer,
    port,
    raw_agent,
    token_for,
)

ASSIGN = """mutation($i: AssignInput!) { assign(input: $i) {
  args id parent { id } latestEventKind latestInstructKind isDone reference updatedAt instructs { id }
  events(ordering: [{createdAt: ASC}]) { id returns level } } }"""
TASK = """query($id: ID!) { task(id: $id) { id isDone latestEventKind latestInstructKind finishedAt
  root { id } parent { id } events { kind message progress returns } instructs { kind } } }"""
MINE = """subscription { mytasks { create { id reference isDone latestEventKind }
  event { id task kind message progress returns createdAt } } }"""
#: What released clients send: every member, most of them null.
NULLS = dict.fromkeys(
    ["action", "resolution", "implementation", "agent", "actionHash", "interface", "reference", "dependencies", "step"]
)
ADD = definition("add", args=[port("a"), port("b")], returns=[port("return0")])


@pytest.fixture(scope="module")
def server(platform: Served) -> Served:
    return platform


@pytest.fixture(scope="module")
def redeem(server: Served) -> str:
    return server.redeem_token(uses=200)


@dataclass
class Stage:
    """A caller and the means to make agents, all of this test only."""

    server: Served
    redeem: str
    stack: AsyncExitStack
    caller: Caller = field(init=False)

    def someone(self) -> Caller:
        token = token_for(self.server.url, self.redeem, f"test.{uuid.uuid4().hex[:12]}")
        return Caller(self.server.url, token)

    async def host(self, *definitions: Json, **more: Any) -> tuple[Caller, Json]:
        app = await self.stack.enter_async_context(self.someone())
        return app, await offer(app, *definitions, **more)

    async def connect(self, app: Caller, **how: Any) -> RawAgent:
        agent = await self.stack.enter_async_context(raw_agent(self.server.url, app.token, **how))
        await agent.receive("INIT")
        return agent

    async def follow(self) -> Listener:
        return await self.stack.enter_async_context(self.caller.subscribe(MINE))

    async def assign(self, args: Json, **given: Any) -> Json:
        task: Json = await self.caller.ask(ASSIGN, i=NULLS | {"args": args, "capture": False, "hooks": []} | given)
        return task

    async def task(self, number: str) -> Json:
        found: Json = await self.caller.ask(TASK, id=number)
        return found


@pytest.fixture
async def stage(server: Served, redeem: str) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        made = Stage(server, redeem, stack)
        made.caller = await stack.enter_async_context(made.someone())
        yield made


def action_of(agent: Json, interface: str = "add") -> str:
    found = next(one for one in agent["implementations"] if one["interface"] == interface)
    number: str = found["action"]["id"]
    return number


async def until_end(listener: Listener, task: str) -> list[Json]:
    """Return the events of `task` up to the terminal one."""
    events: list[Json] = []
    while not events or events[-1]["kind"] not in ("COMPLETED", "FAILED", "CRITICAL", "CANCELLED", "INTERRUPTED"):
        message = await listener.next()
        if message["event"] is not None and message["event"]["task"] == task:
            events.append(message["event"])
    return events


async def test_a_call_goes_to_the_agent_and_its_events_come_back_in_order(stage: Stage) -> None:
    app, offered = await stage.host(ADD)
    agent = await stage.connect(app)
    listener = await stage.follow()
    task = await stage.assign({"a": 20.0, "b": 22}, action=action_of(offered))
    assert task["latestEventKind"] == "STARTED"
    assert task["reference"]
    assert len(task["instructs"]) == 1

    order = await agent.receive("ASSIGN")
    assert order["task"] == task["id"]
    assert json.dumps(order["args"]) == '{"a": 20.0, "b": 22}'
    assert order["interface"] == "add"
    assert order["action"] == offered["implementations"][0]["action"]["hash"]
    assert order["implementation"] == offered["implementations"][0]["id"]
    assert isinstance(order["user"], str)
    assert isinstance(order["org"], str)
    assert {"step", "root", "parent", "resolution", "capture", "reference", "message", "token"} <= order.keys()

    await agent.report("PROGRESS", task["id"], progress=40, message="half way")
    await agent.report("LOG", task["id"], message="a word", level="WARN")
    await agent.report("YIELD", task["id"], returns={"return0": 42.0})
    done = await agent.report("COMPLETED", task["id"])
    ack = await agent.receive("EVENT_ACK")
    assert (ack["event"], ack["task"]) == (done, task["id"])

    first = await listener.next()
    assert first["create"]["id"] == task["id"]
    events = await until_end(listener, task["id"])
    assert [event["kind"] for event in events] == ["PROGRESS", "LOG", "YIELD", "COMPLETED"]
    assert events[0]["progress"] == 40
    assert json.dumps(events[2]["returns"]) == '{"return0": 42.0}'

    stored = await stage.task(task["id"])
    assert stored["isDone"]
    assert stored["latestEventKind"] == "COMPLETED"
    assert [event["kind"] for event in stored["events"]] == ["PROGRESS", "LOG", "YIELD", "COMPLETED"]


async def test_a_feed_that_starts_after_the_end_still_tells_everything_once(stage: Stage) -> None:
    app, offered = await stage.host(ADD)
    agent = await stage.connect(app)
    task = await stage.assign({"a": 1, "b": 2}, action=action_of(offered))
    await agent.report("YIELD", task["id"], returns={"return0": 3})
    await agent.report("COMPLETED", task["id"])
    await agent.receive("EVENT_ACK")
    listener = await stage.follow()
    assert (await listener.next())["create"]["id"] == task["id"]
    assert [event["kind"] for event in await until_end(listener, task["id"])] == ["YIELD", "COMPLETED"]
    again = await stage.follow()
    other = await stage.assign({"a": 1, "b": 2}, action=action_of(offered))
    assert (await again.next())["create"]["id"] == other["id"]


async def test_a_call_names_its_function_in_any_way_of_the_wire(stage: Stage) -> None:
    app, offered = await stage.host(ADD)
    agent = await stage.connect(app)
    made = offered["implementations"][0]
    for way in (
        {"implementation": made["id"]},
        {"action": made["action"]["id"]},
        {"action": made["action"]["id"], "agent": offered["id"]},
        {"actionHash": made["action"]["hash"], "agent": offered["id"]},
        {"agent": offered["id"], "interface": "add"},
    ):
        task = await stage.assign({"a": 1, "b": 2}, **way)
        assert (await agent.receive("ASSIGN"))["task"] == task["id"]
    with pytest.raises(Refused, match="name what to call"):
        await stage.assign({"a": 1, "b": 2})
    with pytest.raises(Refused) as refusal:
        await stage.assign({}, action="987654")
    assert refusal.value.code == "NOT_FOUND"


async def test_what_nobody_hosts_now_is_refused_and_makes_no_task(stage: Stage) -> None:
    _, offered = await stage.host(ADD)
    with pytest.raises(Refused, match="nobody hosts 'Add' now") as refusal:
        await stage.assign({"a": 1, "b": 2}, action=action_of(offered))
    assert refusal.value.code == "NO_AGENT"
    assert await stage.caller.ask("{ myTasks { id } }") == []


async def test_an_agent_that_gave_up_its_offer_is_not_called(stage: Stage) -> None:
    app, offered = await stage.host(ADD)
    await stage.connect(app)
    await offer(app, definition("other"))
    with pytest.raises(Refused):
        await stage.assign({"a": 1, "b": 2}, action=action_of(offered))
    with pytest.raises(Refused):
        await stage.assign({"a": 1, "b": 2}, implementation=offered["implementations"][0]["id"])


async def test_arguments_that_no_frame_can_carry_are_refused(stage: Stage) -> None:
    app, offered = await stage.host(ADD)
    await stage.connect(app)
    with pytest.raises(Refused, match="1048576 is the most") as refusal:
        await stage.assign({"a": "x" * 1024 * 1024, "b": 2}, action=action_of(offered))
    assert refusal.value.code == "TOO_LARGE"
    with pytest.raises(Refused, match="object"):
        await stage.assign([1, 2], action=action_of(offered))  # type: ignore[arg-type]  # on purpose


async def test_controls_are_recorded_when_asked_and_when_the_agent_confirms(stage: Stage) -> None:
    app, offered = await stage.host(ADD)
    agent = await stage.connect(app)
    task = await stage.assign({"a": 1, "b": 2}, action=action_of(offered))
    for name, confirmed in (("pause", "PAUSED"), ("resume", "RESUMED"), ("cancel", "CANCELLED")):
        document = (
            f"mutation($i: {name.title()}Input!) {{ {name}(input: $i) {{ latestEventKind latestInstructKind }} }}"
        )
        before = await stage.task(task["id"])
        asked = await stage.caller.ask(document, i={"task": task["id"]})
        assert asked == {"latestEventKind": before["latestEventKind"], "latestInstructKind": name.upper()}
        order = await agent.receive(name.upper())
        assert order["task"] == task["id"]
        await agent.report(confirmed, task["id"])
        assert (await agent.receive("EVENT_ACK"))["task"] == task["id"]
    stored = await stage.task(task["id"])
    kinds = [event["kind"] for event in stored["events"]]
    assert kinds == ["PAUSING", "PAUSED", "RESUMING", "RESUMED", "CANCELLING", "CANCELLED"]
    assert [instruct["kind"] for instruct in stored["instructs"]] == ["ASSIGN", "PAUSE", "RESUME", "CANCEL"]
    with pytest.raises(Refused, match="has ended already") as refusal:
        await stage.caller.ask("mutation($i: CancelInput!) { cancel(input: $i) { id } }", i={"task": task["id"]})
    assert refusal.value.code == "ENDED"


async def test_reports_on_foreign_and_ended_tasks_change_nothing(stage: Stage) -> None:
    app, offered = await stage.host(ADD)
    agent = await stage.connect(app)
    other_app, _ = await stage.host(definition("other"))
    other = await stage.connect(other_app)
    task = await stage.assign({"a": 1, "b": 2}, action=action_of(offered))
    for number in (task["id"], "99999", "not a number"):
        done = await other.report("COMPLETED", number)
        assert (await other.receive("EVENT_ACK"))["event"] == done
    assert not (await stage.task(task["id"]))["isDone"]
    await agent.report("CRITICAL", task["id"], error="boom 3")
    await agent.receive("EVENT_ACK")
    late = await agent.report("COMPLETED", task["id"])
    assert (await agent.receive("EVENT_ACK"))["event"] == late
    stored = await stage.task(task["id"])
    assert [(event["kind"], event["message"]) for event in stored["events"]] == [("CRITICAL", "boom 3")]


NESTED = {"hooks": [], "capture": False}


async def test_a_nested_call_knows_its_parent_and_is_mirrored_to_its_caller(stage: Stage) -> None:
    outer_app, outer = await stage.host(definition("outer"))
    outer_agent = await stage.connect(outer_app)
    inner_app, inner = await stage.host(ADD)
    inner_agent = await stage.connect(inner_app)
    root = await stage.assign({}, action=action_of(outer, "outer"))
    await outer_agent.receive("ASSIGN")

    call = {"reference": "one", "args": {"a": 1, "b": 2}, "action": action_of(inner), **NESTED}
    await outer_agent.send("ASSIGN_REQUEST", **call)
    assert "parent" in (await outer_agent.receive("ASSIGN_RESPONSE"))["error"]

    request = await outer_agent.send("ASSIGN_REQUEST", parent=root["id"], **call)
    response = await outer_agent.receive("ASSIGN_RESPONSE")
    assert (response["request"], response["reference"], response["created"]) == (request, "one", True)
    order = await inner_agent.receive("ASSIGN")
    assert (order["task"], order["root"], order["parent"]) == (response["task"], root["id"], root["id"])

    await outer_agent.send("ASSIGN_REQUEST", parent=root["id"], **call)
    again = await outer_agent.receive("ASSIGN_RESPONSE")
    assert (again["task"], again["created"]) == (response["task"], False)

    await inner_agent.report("PROGRESS", order["task"], progress=10, message="on it")
    await inner_agent.report("YIELD", order["task"], returns={"return0": 3})
    await inner_agent.report("COMPLETED", order["task"])
    progress = await outer_agent.receive("PROGRESS_EVENT")
    assert (progress["task"], progress["progress"], progress["message"]) == (order["task"], 10, "on it")
    result = await outer_agent.receive("YIELD_EVENT")
    assert result["returns"] == {"return0": 3}
    assert isinstance(result["seq"], int)
    assert (await outer_agent.receive("COMPLETED_EVENT"))["task"] == order["task"]

    await outer_agent.send("ASSIGN_REQUEST", parent=root["id"], reference="two", args={}, action="99999", **NESTED)
    refused = await outer_agent.receive("ASSIGN_RESPONSE")
    assert refused["task"] is None
    assert "no such function" in refused["error"]


async def test_an_interrupt_reaches_the_children_and_a_control_needs_the_owner(stage: Stage) -> None:
    outer_app, outer = await stage.host(definition("outer"))
    outer_agent = await stage.connect(outer_app)
    inner_app, inner = await stage.host(ADD)
    inner_agent = await stage.connect(inner_app)
    root = await stage.assign({}, action=action_of(outer, "outer"))
    await outer_agent.receive("ASSIGN")
    call = {"reference": "one", "args": {}, "action": action_of(inner), "parent": root["id"], **NESTED}
    await outer_agent.send("ASSIGN_REQUEST", **call)
    child = (await outer_agent.receive("ASSIGN_RESPONSE"))["task"]
    await inner_agent.receive("ASSIGN")

    await inner_agent.send("CANCEL_REQUEST", task=child)
    assert (await inner_agent.receive("CONTROL_RESPONSE"))["accepted"] is False
    request = await outer_agent.send("PAUSE_REQUEST", task=child)
    answer = await outer_agent.receive("CONTROL_RESPONSE")
    assert (answer["request"], answer["accepted"], answer["error"]) == (request, True, None)
    await inner_agent.receive("PAUSE")

    await stage.caller.ask("mutation($i: InterruptInput!) { interrupt(input: $i) { id } }", i={"task": root["id"]})
    assert (await outer_agent.receive("INTERRUPT"))["task"] == root["id"]
    assert (await inner_agent.receive("INTERRUPT"))["task"] == child
    await inner_agent.report("INTERRUPTED", child)
    assert (await outer_agent.receive("INTERRUPTED_EVENT"))["task"] == child


async def test_onlookers_follow_all_tasks_those_of_an_agent_and_the_children(stage: Stage) -> None:
    app, offered = await stage.host(ADD)
    agent = await stage.connect(app)
    one = await stage.assign({"a": 1, "b": 1}, action=action_of(offered))
    change = "create { id } update { id latestEventKind }"
    subscribe = stage.caller.subscribe
    everything = subscribe("subscription { tasks { create { id } event { task kind } } }")
    of_agent = subscribe(f"subscription($a: ID!) {{ agentTasks(agent: $a) {{ {change} }} }}", a=offered["id"])
    children = subscribe(f"subscription($t: ID!) {{ childTasks(id: $t) {{ {change} }} }}", t=one["id"])
    async with everything as all_tasks, of_agent as agent_tasks, children as child_tasks:
        for listener in (all_tasks, agent_tasks, child_tasks):
            await listener.socket.send('{"type": "ping"}')  # answered after the subscription before it runs
            while "pong" not in str(await listener.socket.recv()):
                pass
        call = {"reference": "c", "args": {"a": 1, "b": 1}, "action": action_of(offered), "parent": one["id"]}
        await agent.send("ASSIGN_REQUEST", **call, **NESTED)
        child = (await agent.receive("ASSIGN_RESPONSE"))["task"]
        await agent.report("COMPLETED", child)
        assert (await child_tasks.next())["create"] == {"id": child}
        assert (await child_tasks.next())["update"] == {"id": child, "latestEventKind": "COMPLETED"}
        assert (await agent_tasks.next())["create"] == {"id": child}
        told: list[Json] = []
        while {"task": child, "kind": "COMPLETED"} not in told:  # the organisation has other tasks, too
            message = await all_tasks.next()
            told.append(message["create"] or message["event"])
        assert {"id": child} in told
