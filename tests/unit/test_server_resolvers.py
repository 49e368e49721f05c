"""Resolvers and SDL have to fit each other; what fails in a resolver is told without what is inside."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers, Service
from jupyter_arkitekt.server.graphql._resolvers import SchemaError, snake_case
from jupyter_arkitekt.server.identity import Caller
from jupyter_arkitekt.server.platform import Platform

SDL = """
scalar Even
interface Animal { name: String! }
type Cat implements Animal { name: String!, livesLeft: Int }
input Food { perDay: Even! }
type Query { animal(howMany: Int, food: Food): Animal, even(value: Even): Even, animals: [Animal!]!, fails: Int }
"""


def even(value: Any) -> int:
    if not isinstance(value, int) or value % 2:
        raise ValueError(f"{value!r} is not even")
    return value


def resolvers(failure: Exception | None = None) -> Resolvers:
    found = Resolvers()
    found.scalar("Even", parse=even, serialize=even)

    @found.query("animal")
    def animal(_parent: Any, _ctx: Context, how_many: int = 1, food: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"__typename": "Cat", "name": f"{how_many} {food}", "lives_left": 9}

    @found.query("even")
    async def value_of(_parent: Any, _ctx: Context, value: int | None = None) -> int | None:
        return value

    @found.query("animals")
    def animals(_parent: Any, _ctx: Context) -> list[Any]:
        return [SimpleNamespace(name="Tom", __typename="Cat")] * 300_000

    @found.query("fails")
    def fails(_parent: Any, _ctx: Context) -> None:
        if failure is not None:
            raise failure

    return found


async def run(service: Service, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    context = Context(cast("Caller", None), cast("Platform", None), {})
    return await service.executor.run(await service.executor.prepare(query, None), variables, context)


async def test_arguments_arrive_in_snake_case_and_fields_are_found_under_both_names() -> None:
    service = Service("zoo", SDL, resolvers())
    query = "query Q($day: Even!) { animal(howMany: 2, food: {perDay: $day}) { name ... on Cat { livesLeft } } }"
    answer = await run(service, query, {"day": 4})
    assert answer == {"data": {"animal": {"name": "2 {'perDay': 4}", "livesLeft": 9}}}
    assert (await run(service, "{ even(value: 2) }"))["data"] == {"even": 2}
    wrong = await run(service, "query Q($day: Even) { even(value: $day) }", {"day": 3})
    assert "3 is not even" in wrong["errors"][0]["message"]


@pytest.mark.parametrize(
    ("failure", "message", "code"),
    [
        (Refuse("no such cat", code="NOT_FOUND"), "no such cat", "NOT_FOUND"),
        (RuntimeError("a secret"), "internal error", None),
        (OSError(errno.ENOSPC, "No space left"), "the server's disk is full; nothing was changed", "STORAGE_FULL"),
    ],
    ids=["refusal", "fault", "full disk"],
)
async def test_only_a_refusal_says_more_than_that_something_failed(
    failure: Exception, message: str, code: str | None
) -> None:
    answer = await run(Service("zoo", SDL, resolvers(failure)), "{ fails }")
    error = answer["errors"][0]
    assert (error["message"], error["path"]) == (message, ["fails"])
    assert error.get("extensions", {}).get("code") == code


async def test_an_answer_that_grows_without_end_is_cut_off() -> None:
    answer = await run(Service("zoo", SDL, resolvers()), "{ animals { name again: name } }")
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "TOO_LARGE"
    assert len(answer["errors"]) <= 50


def test_a_root_field_without_a_resolver_and_a_resolver_without_a_field_are_found_at_the_start() -> None:
    incomplete = resolvers()
    del incomplete.fields["Query", "even"]
    with pytest.raises(SchemaError, match=r"Query\.even"):
        _ = Service("zoo", SDL, incomplete).executor
    misspelt = resolvers()
    misspelt.field("Cat", "livesLost")(lambda _parent, _ctx: 0)
    with pytest.raises(SchemaError, match=r"Cat\.livesLost"):
        _ = Service("zoo", SDL, misspelt).executor


@pytest.mark.parametrize(
    ("name", "snake"),
    [("msSinceStart", "ms_since_start"), ("id", "id"), ("getURLNow", "get_url_now"), ("c2Max", "c2_max")],
)
def test_names_are_turned_into_snake_case(name: str, snake: str) -> None:
    assert snake_case(name) == snake
