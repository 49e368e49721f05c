"""The agent's side of the agent socket: every edge of its states, and what it promises, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_arkitekt.models import _messages as m
from jupyter_arkitekt.rekuest._protocol import (
    KEPT_YIELDS,
    Active,
    AgentProtocol,
    AgentState,
    Drop,
    Effect,
    Ended,
    Run,
    Send,
    Stop,
    Tell,
)


def sent(effects: list[Effect]) -> list[m.Message]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def frame(type_: str, **fields: Any) -> str:
    return json.dumps({"id": "s1", "type": type_, **fields})


def assign(task: str) -> str:
    return frame(
        "ASSIGN", interface="add", task=task, args={"a": 1}, user="1", org="o", action="h", implementation="2", new=1
    )


def ack(message: m.Message) -> str:
    return frame("EVENT_ACK", event=message.id)


@pytest.fixture
def idle() -> AgentProtocol:
    return AgentProtocol("session", name="'app'", jitter=lambda: 0.0)


@pytest.fixture
def active(idle: AgentProtocol) -> AgentProtocol:
    idle.announce()
    idle.connect()
    idle.opened("token")
    idle.receive(frame("INIT", agent="7", inquiries=[]))
    return idle


def reconnect(protocol: AgentProtocol, *inquiries: str, code: int | None = 1012) -> list[m.Message]:
    protocol.lost(code)
    protocol.connect()
    protocol.opened("token")
    return sent(protocol.receive(frame("INIT", agent="7", inquiries=[{"task": task} for task in inquiries])))


def test_it_registers_says_its_session_and_is_active_with_the_answer(idle: AgentProtocol) -> None:
    idle.announce()
    idle.connect()
    register, session = sent(idle.opened("token"))
    assert json.loads(register.text()) == {
        "type": "REGISTER", "id": register.id, "token": "token", "force": False, "session_id": "session",
    }  # fmt: skip
    assert isinstance(session, m.SessionInit)
    assert idle.state is AgentState.REGISTERING
    assert idle.receive(frame("INIT", agent="7", inquiries=[])) == [Active()]
    assert (idle.state, idle.agent) == (AgentState.ACTIVE, "7")
    assert "token" not in repr(register).replace("'token'", "")


def test_only_the_edges_that_are_drawn_can_be_walked(idle: AgentProtocol) -> None:
    with pytest.raises(RuntimeError, match="an agent that is idle cannot become connecting"):
        idle.connect()
    idle.announce()
    assert idle.lost() == pytest.approx(0.2)
    idle.connect()
    with pytest.raises(RuntimeError, match="connecting cannot become announcing"):
        idle.announce()
    idle.lost()
    idle.announce()
    idle.end("enough")
    assert idle.ended
    assert idle.lost() is None


def test_heartbeats_are_answered_and_unknown_frames_are_ignored(active: AgentProtocol) -> None:
    assert isinstance(sent(active.receive(frame("HEARTBEAT")))[0], m.HeartbeatAnswer)
    assert active.receive(frame("FROM_THE_FUTURE", x=1)) == []
    for nonsense in ("{", "[]", '{"id": "1"}', frame("ASSIGN", task="1")):
        with pytest.raises(ValueError):
            active.receive(nonsense)


def test_a_task_is_run_once_stopped_on_demand_and_silent_after_its_end(active: AgentProtocol) -> None:
    first = active.receive(assign("1"))
    assert isinstance(first[0], Run)
    assert first[0].assign.args == {"a": 1}
    assert active.receive(assign("1")) == []
    assert active.receive(frame("CANCEL", task="1")) == [Stop("1", now=False)]
    assert active.receive(frame("INTERRUPT", task="1")) == [Stop("1", now=True)]
    assert active.receive(frame("CANCEL", task="2")) == []
    assert len(active.report(m.Cancelled(task="1"))) == 1
    assert active.report(m.Progress(task="1", progress=3)) == []
    assert active.receive(assign("1")) == [], "its end is not acknowledged yet"
    assert active.running == frozenset()


def test_reports_are_numbered_in_order(active: AgentProtocol) -> None:
    active.receive(assign("1"))
    active.receive(assign("2"))
    reports = [
        m.Progress(task="1", progress=5), m.Log(task="2", message="x"), m.Yield(task="1", returns={}),
        m.Completed(task="1"), m.Critical(task="2", error="E"),
    ]  # fmt: skip
    numbers = [report.seq for one in reports for report in sent(active.report(one)) if isinstance(report, m.Report)]
    assert numbers == [1, 2, 3, 4, 5]


def test_results_and_ends_are_sent_again_until_they_are_acknowledged(active: AgentProtocol) -> None:
    active.receive(assign("1"))
    (result,) = sent(active.report(m.Yield(task="1", returns={"return0": 1})))
    (end,) = sent(active.report(m.Completed(task="1")))
    assert not active.settled
    assert reconnect(active, "1") == [result, end], "an inquiry about it needs no other answer"
    assert reconnect(active) == [result, end]
    active.receive(ack(end))
    assert active.settled
    assert reconnect(active) == []


def test_what_is_said_while_the_connection_is_down_is_said_when_it_is_back(active: AgentProtocol) -> None:
    active.receive(assign("1"))
    active.lost(1006)
    assert active.report(m.Progress(task="1", progress=10)) == []
    assert active.report(m.Progress(task="1", progress=20)) == []
    assert active.report(m.Log(task="1", message="here")) == []
    active.connect()
    active.opened("token")
    back = sent(active.receive(frame("INIT", agent="7", inquiries=[])))
    assert [report.type for report in back] == ["PROGRESS", "LOG"]
    assert isinstance(back[0], m.Progress)
    assert back[0].progress == 20
    assert reconnect(active) == [], "once is enough for what only tells"


def test_inquiries_are_answered_by_progress_or_given_up(active: AgentProtocol) -> None:
    active.receive(assign("1"))
    active.report(m.Progress(task="1", progress=40))
    running, unknown = reconnect(active, "1", "99")
    assert isinstance(running, m.Progress)
    assert (running.task, running.progress, running.message) == ("1", 40, "Still running")
    assert isinstance(unknown, m.Critical)
    assert unknown.task == "99"


def test_a_stream_keeps_a_bounded_number_of_results(active: AgentProtocol) -> None:
    active.receive(assign("1"))
    for number in range(KEPT_YIELDS + 5):
        active.report(m.Yield(task="1", returns={"return0": number}))
    again = reconnect(active)
    assert len(again) == KEPT_YIELDS
    assert isinstance(again[0], m.Yield)
    assert again[0].returns == {"return0": 5}


def test_a_connection_of_this_process_is_displaced_one_of_another_is_not(active: AgentProtocol) -> None:
    active.lost(1006)
    active.connect()
    register = sent(active.opened("token"))[0]
    assert isinstance(register, m.Register)
    assert register.force


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1012, 3001, 3004, None])
def test_these_ends_are_survived(active: AgentProtocol, code: int | None) -> None:
    assert active.lost(code) == pytest.approx(0.2)
    assert active.state is AgentState.WAITING


@pytest.mark.parametrize(
    ("code", "told"),
    [(4003, "has blocked 'app'"), (4004, "in another process already"), (4005, "took over"), (3003, "Update both")],
)
def test_these_ends_are_final_and_told_to_the_person(active: AgentProtocol, code: int, told: str) -> None:
    active.receive(frame("PROTOCOL_ERROR", error="because"))
    assert active.lost(code) is None
    assert active.ended
    assert told in active.reason
    assert "because" in active.reason


def test_delays_grow_to_a_limit_and_begin_anew_after_a_success(idle: AgentProtocol) -> None:
    idle.announce()
    delays = []
    for _ in range(9):
        delays.append(idle.lost())
        idle.connect()
    assert delays == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15, 15])
    idle.opened("token")
    idle.receive(frame("INIT", agent="7"))
    assert idle.lost(1006) == pytest.approx(0.2)


def test_a_server_that_keeps_refusing_is_believed_after_a_few_times(idle: AgentProtocol) -> None:
    idle.announce()
    idle.connect()
    for attempt in range(4):
        idle.opened("token")
        idle.receive(frame("PROTOCOL_ERROR", error="who are you?"))
        delay = idle.lost(1008)
        assert (delay is None) == (attempt == 3)
        if delay is not None:
            assert idle.refused, "it is worth announcing everything again"
            idle.announce()
            idle.connect()
    assert "who are you?" in idle.reason


def test_bounce_comes_back_after_the_time_it_names_and_kick_does_not(active: AgentProtocol) -> None:
    assert active.receive(frame("BOUNCE", duration=7)) == [Drop()]
    assert active.lost(1000) == pytest.approx(7)
    active.connect()
    active.opened("token")
    active.receive(frame("INIT", agent="7"))
    (ended,) = active.receive(frame("KICK", reason="maintenance"))
    assert isinstance(ended, Ended)
    assert "maintenance" in ended.reason


def test_requests_of_bodies_are_sent_again_until_they_are_answered(active: AgentProtocol) -> None:
    request = m.AssignRequest(reference="r", args={}, action="3", parent="1")
    assert sent(active.request(request)) == [request]
    assert reconnect(active) == [request]
    (answer,) = active.receive(frame("ASSIGN_RESPONSE", request=request.id, reference="r", task="8"))
    assert isinstance(answer, Tell)
    assert reconnect(active) == []
    (mirror,) = active.receive(frame("YIELD_EVENT", task="8", event="5", seq=5, returns={"return0": 1}))
    assert isinstance(mirror, Tell)
    assert isinstance(mirror.message, m.Mirror)
    assert mirror.message.kind == "YIELD"
