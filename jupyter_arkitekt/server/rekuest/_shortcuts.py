"""Shortcuts: calls with some arguments saved, in toolboxes; test cases and their results."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import select

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.rekuest._actions import action_by_id, implementation_by_id
from jupyter_arkitekt.server.rekuest._context import rows
from jupyter_arkitekt.server.rekuest._demands import fits_ports
from jupyter_arkitekt.server.rekuest._records import (
    ORDERS,
    TESTS,
    Ordering,
    Page,
    every,
    make,
    one,
    serve_delete,
    serve_list,
    serve_one,
)
from jupyter_arkitekt.server.rekuest._rows import Row, Test, matches, number, ordered, paged


def _shortcuts(ctx: Context, filters: Any, ordering: Ordering) -> list[Row]:
    found = [_with_ports(ctx, row) for row in every(ctx, db.shortcut)]
    return ordered([row for row in found if matches(row, filters, _SHORTCUT_TESTS)], ordering, ORDERS)


def _with_ports(ctx: Context, shortcut: Row) -> Row:
    action = action_by_id(ctx, shortcut["action_id"])
    args = [port for port in action["args"] if port["key"] not in shortcut["saved_args"]]
    return shortcut | {"args": args, "returns": action["returns"]}


_SHORTCUT_TESTS: dict[str, Test] = {
    **TESTS,
    "demands": lambda row, value: all(fits_ports(row, demand) for demand in value),
    "toolbox": lambda row, value: row["toolbox_id"] == number(value),
}


def register(resolvers: Resolvers) -> None:
    """Attach what concerns shortcuts and tests."""
    _register_shortcuts(resolvers)
    _register_tests(resolvers)


def _register_shortcuts(resolvers: Resolvers) -> None:
    serve_one(resolvers, "toolbox", db.toolbox, "toolbox")
    serve_list(resolvers, "toolboxes", db.toolbox)
    serve_delete(resolvers, "deleteToolbox", db.toolbox, "toolbox")
    serve_delete(resolvers, "deleteShortcut", db.shortcut, "shortcut")

    @resolvers.query("shortcut")
    def _shortcut(_parent: object, ctx: Context, id: str) -> Row:  # noqa: A002 - the wire's name
        return _with_ports(ctx, one(ctx, db.shortcut, id, "shortcut"))

    @resolvers.query("shortcuts")
    def _list(
        _parent: object, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return paged(_shortcuts(ctx, filters, ordering), pagination)

    @resolvers.mutation("createToolbox")
    def _toolbox(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        return make(ctx, db.toolbox, name=input["name"], description=input.get("description") or "")

    @resolvers.mutation("createShortcut")
    def _create(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        action = action_by_id(ctx, input["action"])
        toolbox = input.get("toolbox")
        saved = input["args"]
        if not isinstance(saved, dict):
            raise Refuse("the saved arguments are an object: a value for each port's key", code="BAD_INPUT")
        row = make(
            ctx,
            db.shortcut,
            name=input["name"],
            description=input.get("description"),
            action_id=action["id"],
            toolbox_id=None if toolbox is None else one(ctx, db.toolbox, toolbox, "toolbox")["id"],
            saved_args=saved,
            allow_quick=bool(input.get("allowQuick")),
            use_returns=bool(input.get("useReturns")),
            bind_number=input.get("bindNumber"),
        )
        return _with_ports(ctx, row)

    for typename in ("Shortcut", "TestCase"):

        @resolvers.field(typename, "action")
        def _action(row: Row, ctx: Context) -> Row:
            return action_by_id(ctx, row["action_id"])

    @resolvers.field("Shortcut", "toolboxes")
    def _toolboxes(
        row: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        mine = [box for box in every(ctx, db.toolbox) if box["id"] == row["toolbox_id"]]
        return paged(ordered([box for box in mine if matches(box, filters, TESTS)], ordering, ORDERS), pagination)

    @resolvers.field("Toolbox", "shortcuts")
    def _content(
        row: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return paged([s for s in _shortcuts(ctx, filters, ordering) if s["toolbox_id"] == row["id"]], pagination)


def _results(ctx: Context) -> list[Row]:
    query = select(db.test_result, db.test_case.c.name).join(db.test_case)
    mine = db.test_result.c.organisation_id == ctx.caller.organisation_id
    return rows(ctx, query.where(mine).order_by(db.test_result.c.id))


def _register_tests(resolvers: Resolvers) -> None:
    serve_one(resolvers, "testCase", db.test_case, "test case")
    serve_list(resolvers, "testCases", db.test_case)
    serve_one(resolvers, "testResult", db.test_result, "test result")

    @resolvers.query("testResults")
    def _list(_parent: object, ctx: Context, filters: Any = None, pagination: Page = None) -> list[Row]:
        return paged([row for row in _results(ctx) if matches(row, filters, TESTS)], pagination)

    @resolvers.mutation("createTestCase")
    def _case(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        action, tester = action_by_id(ctx, input["action"]), action_by_id(ctx, input["tester"])
        return make(
            ctx,
            db.test_case,
            action_id=action["id"],
            tester_id=tester["id"],
            name=input.get("name") or f"{tester['name']} of {action['name']}",
            description=input.get("description") or "",
        )

    @resolvers.mutation("createTestResult")
    def _result(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        now = time.time()
        return make(
            ctx,
            db.test_result,
            case_id=one(ctx, db.test_case, input["case"], "test case")["id"],
            implementation_id=implementation_by_id(ctx, input["implementation"])["id"],
            tester_id=implementation_by_id(ctx, input["tester"])["id"],
            passed=input["passed"],
            result=input.get("result"),
            created_at=now,
            updated_at=now,
        )

    @resolvers.field("TestCase", "tester")
    def _tester(row: Row, ctx: Context) -> Row:
        return action_by_id(ctx, row["tester_id"])

    @resolvers.field("TestCase", "isBenchmark")
    def _is_benchmark(_row: Row, _ctx: Context) -> bool:
        return False  # nothing in the wire makes a case a benchmark

    @resolvers.field("TestCase", "results")
    def _of_case(row: Row, ctx: Context, filters: Any = None, pagination: Page = None) -> list[Row]:
        mine = [result for result in _results(ctx) if result["case_id"] == row["id"]]
        return paged([result for result in mine if matches(result, filters, TESTS)], pagination)

    @resolvers.field("Action", "testCases")
    def _of_action(row: Row, ctx: Context, filters: Any = None, pagination: Page = None) -> list[Row]:
        mine = [case for case in every(ctx, db.test_case) if case["action_id"] == row["id"]]
        return paged([case for case in mine if matches(case, filters, TESTS)], pagination)

    @resolvers.field("TestResult", "case")
    def _case_of(row: Row, ctx: Context) -> Row:
        return one(ctx, db.test_case, row["case_id"], "test case")

    for name in ("implementation", "tester"):

        @resolvers.field("TestResult", name)
        def _implementation(row: Row, ctx: Context, column: str = f"{name}_id") -> Row:
            return implementation_by_id(ctx, row[column])
