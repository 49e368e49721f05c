"""Frames of agents, well-meant and hostile."""

from __future__ import annotations

import json

import pytest

from jupyter_arkitekt.server.rekuest._frames import encode
from jupyter_arkitekt.server.rekuest._messages import BadFrame, Register, Report, read
from jupyter_arkitekt.server.rekuest._mirrors import mirror
from jupyter_arkitekt.server.rekuest._task import Event


@pytest.mark.parametrize("text", [None, "", "{", "[" * 100_000, '{"type": "YIELD", "task": '])
def test_what_is_not_json_is_refused_with_3002(text: str | None) -> None:
    with pytest.raises(BadFrame) as refusal:
        read(text)
    assert refusal.value.code == 3002


@pytest.mark.parametrize(
    "message",
    [
        [],
        "REGISTER",
        {"type": 7},
        {"type": "REGISTER"},
        {"type": "REGISTER", "token": "t", "surprise": 1},
        {"type": "YIELD", "task": "1", "returns": [1]},
        {"type": "COMPLETED", "task": 1},
        {
            "type": "STATE_PATCH",
            "session_id": "s",
            "global_rev": 2**70,
            "state_name": "n",
            "ts": 0,
            "op": "x",
            "path": "",
        },
        {"type": "ASSIGN_REQUEST", "reference": "r", "args": None},
    ],
    ids=json.dumps,
)
def test_what_its_type_does_not_promise_is_refused_with_3003(message: object) -> None:
    with pytest.raises(BadFrame) as refusal:
        read(json.dumps(message))
    assert refusal.value.code == 3003


def test_unknown_fields_and_types_come_from_newer_agents() -> None:
    assert read('{"type": "FROM_THE_FUTURE"}') is None
    register = read('{"type": "REGISTER", "token": "t", "id": "x", "force": true}')
    assert isinstance(register, Register)
    assert register.force
    assert isinstance(read('{"type": "COMPLETED", "task": "1", "mood": "good"}'), Report)


def test_numbers_keep_their_spelling_and_what_json_cannot_say_is_text() -> None:
    report = read('{"type": "YIELD", "task": "1", "returns": {"a": 20.0, "b": 3, "c": NaN, "d": 1e999}}')
    assert isinstance(report, Report)
    assert json.dumps(report.returns) == '{"a": 20.0, "b": 3, "c": "NaN", "d": "1e999"}'


def test_half_a_character_does_not_get_in() -> None:
    report = read('{"type": "FAILED", "task": "1", "error": "broken \\ud83d text"}')
    assert isinstance(report, Report)
    assert report.error == "broken ? text"
    encode({"a": "\ud83d"}).encode()


def test_a_result_too_large_to_mirror_fails_the_nested_call_instead() -> None:
    large = Event(5, 1, "YIELD", 0.0, returns={"return0": "x" * 2**20})
    told = json.loads(mirror(large))
    assert told["type"] == "CRITICAL_EVENT"
    assert "by reference" in told["error"]
