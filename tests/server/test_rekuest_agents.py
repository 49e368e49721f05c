"""Agents that connect, misbehave, vanish and come back."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from jupyter_arkitekt.testing import Serve, Served, start_platform
from jupyter_arkitekt.testing._wire import (
    Caller,
    Json,
    RawAgent,
    Refused,
    agent_socket,
    definition,
    offer,
    raw_agent,
    token_for,
    until,
)

ASSIGN = "mutation($i: AssignInput!) { assign(input: $i) { id } }"
TASK = "query($id: ID!) { task(id: $id) { isDone latestEventKind events { kind message returns } } }"
AGENT = "query($id: ID!) { agent(id: $id) { connected active blocked hash } }"
WORK = definition("work")
FAST = {"ARKITEKT_AGENT_GRACE": "2", "ARKITEKT_AGENT_GOODBYE": "0.5"}


@pytest.fixture(scope="module")
def server(session_home: Path) -> Iterator[Served]:
    """A platform that does not wait long for its agents."""
    served = start_platform(session_home / "impatient", env=FAST)
    yield served
    served.stop()


@pytest.fixture(scope="module")
def redeem(server: Served) -> str:
    return server.redeem_token(uses=200)


def someone(server: Served, redeem: str) -> Caller:
    return Caller(server.url, token_for(server.url, redeem, f"test.{uuid.uuid4().hex[:12]}"))


@pytest.fixture
async def app(server: Served, redeem: str) -> AsyncIterator[Caller]:
    """An app that offers ``work``, not connected."""
    async with someone(server, redeem) as caller:
        await offer(caller, WORK)
        yield caller


async def call(caller: Caller) -> str:
    """Call ``work`` of the app itself and return the number of the task."""
    mine = await caller.ask('{ myImplementationAt(interface: "work") { id } }')
    task = await caller.ask(ASSIGN, i={"implementation": mine["id"], "args": {}})
    number: str = task["id"]
    return number


async def ended(caller: Caller, task: str) -> Json:
    """Wait until `task` has ended and return it."""
    found: Json = {}

    async def is_done() -> bool:
        found.update(await caller.ask(TASK, id=task))
        return bool(found["isDone"])

    await until(is_done)
    return found


async def kinds(caller: Caller, task: str) -> list[str]:
    return [event["kind"] for event in (await caller.ask(TASK, id=task))["events"]]


async def my_agent(caller: Caller) -> Json:
    mine = await caller.ask('{ myImplementationAt(interface: "work") { agent { id } } }')
    found: Json = await caller.ask(AGENT, id=mine["agent"]["id"])
    return found | {"id": mine["agent"]["id"]}


async def is_away(caller: Caller) -> bool:
    return not (await my_agent(caller))["connected"]


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["not json"], 3002),
        (["[1, 2"], 3002),
        ([b"\x00\x01"], 3002),
        (['{"type": "HEARTBEAT_ANSWER"}'], 3004),
        (['{"type": "REGISTER", "token": "wrong"}'], 4001),
        (['{"type": "REGISTER", "token": "wrong", "surprise": 1}'], 3003),
        (['{"type": "REGISTER"}'], 3003),
    ],
    ids=str,
)
async def test_a_stranger_is_sent_away_with_the_code_of_the_wire(
    server: Served, frames: list[str | bytes], code: int
) -> None:
    async with agent_socket(server.url) as socket:
        for frame in frames:
            await socket.send(frame)
        assert await RawAgent(socket, "").closed() == code


async def test_an_app_that_is_no_agent_cannot_register(server: Served, redeem: str) -> None:
    async with someone(server, redeem) as caller, raw_agent(server.url, caller.token) as agent:
        assert "ensureAgent" in (await agent.receive("PROTOCOL_ERROR"))["error"]
        assert await agent.closed() == 3003


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", 3002),
        ('{"type": "REGISTER", "token": "again"}', 3003),
        ('{"type": "YIELD", "task": "1", "returns": 3}', 3003),
        ('{"type": "STATE_PATCH"}', 3003),
    ],
)
async def test_a_registered_agent_that_sends_garbage_is_closed(
    server: Served, app: Caller, frame: str, code: int
) -> None:
    async with raw_agent(server.url, app.token) as agent:
        await agent.receive("INIT")
        await agent.send("FROM_A_NEWER_AGENT", mood="good")
        await agent.socket.send(frame)
        await agent.receive("PROTOCOL_ERROR")
        assert await agent.closed() == code


async def test_a_second_process_is_busy_until_it_insists(server: Served, app: Caller) -> None:
    async with raw_agent(server.url, app.token) as first:
        assert (await first.receive("INIT"))["inquiries"] == []
        async with raw_agent(server.url, app.token) as second:
            assert await second.closed() == 4004
        async with raw_agent(server.url, app.token, force=True) as third:
            await third.receive("INIT")
            assert await first.closed() == 4005


async def test_block_keeps_an_agent_out_and_kick_and_bounce_reach_it(server: Served, app: Caller) -> None:
    number = (await my_agent(app))["id"]
    async with raw_agent(server.url, app.token) as agent:
        await agent.receive("INIT")
        assert (await my_agent(app))["active"]
        await app.ask("mutation($i: BounceInput!) { bounce(input: $i) { id } }", i={"agent": number})
        await agent.receive("BOUNCE")
        await app.ask("mutation($i: KickInput!) { kick(input: $i) { id } }", i={"agent": number, "reason": "tired"})
        assert (await agent.receive("KICK"))["reason"] == "tired"
        blocked = await app.ask("mutation($i: BlockInput!) { block(input: $i) { blocked } }", i={"agent": number})
        assert blocked == {"blocked": True}
        assert await agent.closed() == 4003
    async with raw_agent(server.url, app.token) as agent:
        assert await agent.closed() == 4003
    await app.ask("mutation($i: UnblockInput!) { unblock(input: $i) { blocked } }", i={"agent": number})
    async with raw_agent(server.url, app.token) as agent:
        await agent.receive("INIT")


async def test_an_agent_that_dies_during_a_call_ends_it_in_one_clear_error(server: Served, app: Caller) -> None:
    async with raw_agent(server.url, app.token) as agent:
        await agent.receive("INIT")
        task = await call(app)
        await agent.receive("ASSIGN")
        agent.drop()
    found = await ended(app, task)
    assert [event["kind"] for event in found["events"]] == ["CRITICAL"]
    assert "went away and did not come back within 2 s" in found["events"][0]["message"]
    assert "whether the function finished is unknown" in found["events"][0]["message"]


async def test_a_call_in_a_moment_without_connection_waits_for_the_agent(server: Served, app: Caller) -> None:
    async with raw_agent(server.url, app.token) as agent:
        await agent.receive("INIT")
        agent.drop()
        await agent.socket.wait_closed()
    await until(lambda: is_away(app))
    task = await call(app)
    async with raw_agent(server.url, app.token, session=agent.session) as again:
        assert (await again.receive("INIT"))["inquiries"] == []
        assert (await again.receive("ASSIGN"))["task"] == task
        await again.report("COMPLETED", task)
        await again.receive("EVENT_ACK")


async def test_a_call_that_waits_in_vain_ends_and_one_that_is_cancelled_never_begins(
    server: Served, app: Caller
) -> None:
    async with raw_agent(server.url, app.token) as agent:
        await agent.receive("INIT")
        agent.drop()
        await agent.socket.wait_closed()
    await until(lambda: is_away(app))
    task, cancelled = await call(app), await call(app)
    await app.ask("mutation($i: CancelInput!) { cancel(input: $i) { id } }", i={"task": cancelled})
    assert await kinds(app, cancelled) == ["CANCELLING", "CANCELLED"]
    assert "the function was not begun" in (await ended(app, task))["events"][0]["message"]


async def test_a_process_that_comes_back_is_asked_for_its_tasks_and_reports_again(server: Served, app: Caller) -> None:
    async with raw_agent(server.url, app.token) as agent:
        await agent.receive("INIT")
        task = await call(app)
        await agent.receive("ASSIGN")
        await agent.report("YIELD", task, returns={"return0": 1})
        await agent.report("COMPLETED", await call(app))  # a report of another task, to know that the first arrived
        await agent.receive("EVENT_ACK")
        agent.drop()
    async with raw_agent(server.url, app.token, session=agent.session) as again:
        assert (await again.receive("INIT"))["inquiries"] == [{"task": task}]
        await again.send("YIELD", task=task, returns={"return0": 1}, seq=1)
        done = await again.send("COMPLETED", task=task, seq=3)
        assert (await again.receive("EVENT_ACK"))["event"] == done
        assert await kinds(app, task) == ["YIELD", "COMPLETED"]


async def test_another_process_of_the_agent_fails_what_the_old_one_ran_and_cancels_its_calls(
    server: Served, redeem: str, app: Caller
) -> None:
    async with AsyncExitStack() as stack:
        helper = await stack.enter_async_context(someone(server, redeem))
        offered = await offer(helper, definition("help"))
        helping = await stack.enter_async_context(raw_agent(server.url, helper.token))
        await helping.receive("INIT")
        async with raw_agent(server.url, app.token) as agent:
            await agent.receive("INIT")
            task = await call(app)
            await agent.receive("ASSIGN")
            target = offered["implementations"][0]["id"]
            await agent.send("ASSIGN_REQUEST", reference="r", args={}, implementation=target, parent=task)
            child = (await helping.receive("ASSIGN"))["task"]
            async with raw_agent(server.url, app.token, force=True) as other:
                assert (await other.receive("INIT"))["inquiries"] == []
                found = await ended(app, task)
                assert "was restarted" in found["events"][0]["message"]
                assert (await helping.receive("CANCEL"))["task"] == child


async def test_an_idempotent_function_runs_again_when_its_agent_is_back(server: Served, redeem: str) -> None:
    async with someone(server, redeem) as app:
        await offer(app, definition("work", idempotent=True))
        async with raw_agent(server.url, app.token) as agent:
            await agent.receive("INIT")
            task = await call(app)
            await agent.receive("ASSIGN")
            agent.drop()

        async def is_queued() -> bool:
            return await kinds(app, task) == ["QUEUED"]

        await until(is_queued)
        async with raw_agent(server.url, app.token) as again:
            assert (await again.receive("ASSIGN"))["task"] == task
            await again.report("COMPLETED", task)
            await again.receive("EVENT_ACK")
        assert await kinds(app, task) == ["QUEUED", "COMPLETED"]


async def test_heartbeats_come_and_an_agent_that_does_not_answer_is_closed(serve: Serve) -> None:
    served = serve(env={"ARKITEKT_AGENT_HEARTBEAT": "0.2", "ARKITEKT_AGENT_ANSWER": "1"})
    async with someone(served, served.redeem_token()) as app:
        await offer(app, WORK)
        async with raw_agent(served.url, app.token) as agent:
            await agent.receive("INIT")
            for _ in range(3):
                await agent.receive("HEARTBEAT")
                await agent.send("HEARTBEAT_ANSWER")
            assert await agent.closed() == 3001
        await until(lambda: is_away(app))


async def test_a_restart_of_the_platform_loses_nothing(serve: Serve) -> None:
    served = serve(env=FAST)
    async with someone(served, served.redeem_token()) as app:
        await offer(app, WORK)
        async with raw_agent(served.url, app.token) as agent:
            await agent.receive("INIT")
            done, kept, lost = await call(app), await call(app), await call(app)
            await agent.report("COMPLETED", done)
            await agent.receive("EVENT_ACK")
            served.stop()
            assert await agent.closed() == 1012
        token = app.token
    served.restart()
    async with Caller(served.url, token) as app:
        assert (await app.ask(TASK, id=done))["latestEventKind"] == "COMPLETED"
        assert [one["key"] for one in await app.ask("{ actions { key } }")] == ["work"]
        async with raw_agent(served.url, token, session=agent.session) as again:
            init = await again.receive("INIT")
            assert init["inquiries"] == [{"task": kept}, {"task": lost}]
            await again.report("COMPLETED", kept)
            await again.receive("EVENT_ACK")
            again.drop()
        assert "did not come back" in (await ended(app, lost))["events"][-1]["message"]
        assert await kinds(app, kept) == ["COMPLETED"]


async def test_a_killed_platform_gives_up_the_tasks_of_agents_that_stay_away(serve: Serve) -> None:
    served = serve(env=FAST)
    async with someone(served, served.redeem_token()) as app:
        await offer(app, WORK)
        async with raw_agent(served.url, app.token) as agent:
            await agent.receive("INIT")
            task = await call(app)
            await agent.receive("ASSIGN")
            served.kill()
        token = app.token
    served.restart()
    async with Caller(served.url, token) as app:
        assert (await ended(app, task))["latestEventKind"] == "CRITICAL"
        with pytest.raises(Refused, match="nobody hosts"):
            await call(app)


async def test_a_frame_with_a_million_brackets_is_refused_and_the_platform_lives(server: Served, app: Caller) -> None:
    async with raw_agent(server.url, app.token) as agent:
        await agent.receive("INIT")
        await agent.socket.send('{"type": "YIELD", "task": "1", "returns": ' + "[" * 900_000)
        assert await agent.closed() == 3002
    assert json.dumps(await my_agent(app))
