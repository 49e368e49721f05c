"""Tasks: calling, controlling, looking at them, following them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from sqlalchemy import Select, and_, bindparam, not_, or_, select, true
from sqlalchemy.sql import ColumnElement

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.rekuest._actions import Ordering, Page, action_by_id, implementations
from jupyter_arkitekt.server.rekuest._agents import agents, client_of
from jupyter_arkitekt.server.rekuest._assign import assign
from jupyter_arkitekt.server.rekuest._context import broker, party, rows
from jupyter_arkitekt.server.rekuest._definitions import args_hash
from jupyter_arkitekt.server.rekuest._rows import Row, Test, matches, missing, number, ordered, page, paged
from jupyter_arkitekt.server.rekuest._task import Task

task = db.task
_LARGEST = 2**31 - 1
_BY_ID = select(task).where(task.c.id == bindparam("number"), task.c.organisation_id == bindparam("organisation"))
_EVENTS = select(db.task_event).where(db.task_event.c.task_id == bindparam("number")).order_by(db.task_event.c.id)
_INSTRUCTS = (
    select(db.task_instruct).where(db.task_instruct.c.task_id == bindparam("number")).order_by(db.task_instruct.c.id)
)


def _same(column: ColumnElement[Any]) -> Any:
    return lambda value: column == number(value)


_CONDITIONS: dict[str, Any] = {
    "ids": lambda value: task.c.id.in_([number(one) for one in value]),
    "clientId": lambda value: task.c.party_id.in_(select(db.party.c.id).where(db.party.c.client_id == value)),
    "state": lambda value: task.c.latest_event_kind.in_(value),
    "implementation": _same(task.c.implementation_id),
    "action": _same(task.c.action_id),
    "agent": _same(task.c.agent_id),
    "caller": _same(task.c.party_id),
    "parent": _same(task.c.parent_id),
    "root": _same(task.c.root_id),
    "rootIsnull": lambda value: task.c.root_id.is_(None) if value else task.c.root_id.is_not(None),
    "isDone": lambda value: task.c.is_done == value,
    "argsHash": lambda value: task.c.args_hash == value,
    "reference": lambda value: task.c.reference == value,
    "createdBefore": lambda value: task.c.created_at < value.timestamp(),
    "createdAfter": lambda value: task.c.created_at > value.timestamp(),
}
_ORDERS = {"createdAt": task.c.created_at, "finishedAt": task.c.finished_at}


def _condition(filters: Mapping[str, Any] | None) -> ColumnElement[bool]:
    given = {name: value for name, value in (filters or {}).items() if value is not None}
    own = [_CONDITIONS[name](value) for name, value in given.items() if name in _CONDITIONS]
    result: ColumnElement[bool] | None = and_(*own) if own else None
    for name, combine in (("AND", and_), ("OR", or_)):
        if name in given:
            more = _condition(given[name])
            result = more if result is None else combine(result, more)
    if "NOT" in given:
        less = not_(_condition(given["NOT"]))
        result = less if result is None else and_(result, less)
    return true() if result is None else result


def tasks(ctx: Context, filters: Any, ordering: Ordering, pagination: Page, *where: ColumnElement[bool]) -> list[Row]:
    """Return a page of the organisation's tasks."""
    query: Select[Any] = select(task).where(
        task.c.organisation_id == ctx.caller.organisation_id, _condition(filters), *where
    )
    for each in ordering or ():
        for name, how in each.items():
            if how is not None:
                column = _ORDERS[name].desc() if how.startswith("DESC") else _ORDERS[name].asc()
                nulls = column.nulls_first() if how.endswith("NULLS_FIRST") else column.nulls_last()
                query = query.order_by(nulls if "NULLS" in how else column)
    offset, limit = page(pagination)
    return rows(ctx, query.order_by(task.c.id).offset(offset).limit(_LARGEST if limit is None else limit))


def task_by_id(ctx: Context, value: object) -> Row:
    """Return the task with this id.

    Raises
    ------
    Refuse
        If the organisation has none.
    """
    found = rows(ctx, _BY_ID, number=number(value), organisation=ctx.caller.organisation_id)
    if not found:
        raise missing("task", value)
    return found[0]


def register(resolvers: Resolvers) -> None:
    """Attach what concerns tasks."""
    _calls(resolvers)
    _queries(resolvers)
    _fields(resolvers)
    _feeds(resolvers)


def _calls(resolvers: Resolvers) -> None:
    @resolvers.mutation("assign")
    async def _assign(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        someone = party(ctx)
        args = input["args"]
        if not isinstance(args, dict):
            raise Refuse("the arguments are an object: a value for each port's key", code="BAD_INPUT")
        made: Task = assign(
            ctx.platform,
            broker(ctx),
            someone,
            input,
            args,
            reference=input.get("reference"),
            capture=bool(input.get("capture")),
            step=bool(input.get("step")),
            ephemeral=bool(input.get("ephemeral")),
        )
        await broker(ctx).journal.written()
        return made.row()

    for name in ("cancel", "interrupt", "pause", "resume"):
        _control(resolvers, name)

    @resolvers.mutation("ack")
    def _ack(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        return task_by_id(ctx, input["task"])


def _control(resolvers: Resolvers, name: str) -> None:
    @resolvers.mutation(name)
    async def _resolve(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        row = task_by_id(ctx, input["task"])
        if broker(ctx).parties.get(row["party_id"]).user_id != ctx.caller.user_id and "admin" not in ctx.caller.roles:
            raise Refuse(f"the task {row['id']} is somebody else's", code="FORBIDDEN")
        found = broker(ctx).task(row["id"])
        if found is None:
            raise Refuse(f"the task {row['id']} has ended already ({row['latest_event_kind']})", code="ENDED")
        broker(ctx).control(found, name.upper(), step=bool(input.get("step")))
        await broker(ctx).journal.written()
        return task_by_id(ctx, row["id"])


def _queries(resolvers: Resolvers) -> None:
    @resolvers.query("task")
    def _task(_parent: object, ctx: Context, id: str) -> Row:  # noqa: A002 - the wire's name
        return task_by_id(ctx, id)

    @resolvers.query("tasks")
    def _tasks(
        _parent: object, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return tasks(ctx, filters, ordering, pagination)

    @resolvers.query("myTasks")
    def _my(_parent: object, ctx: Context) -> list[Row]:
        return tasks(ctx, None, None, None, task.c.party_id == party(ctx).id)

    @resolvers.query("event")
    def _event(_parent: object, ctx: Context, id: str) -> Row:  # noqa: A002 - the wire's name
        mine = task.c.organisation_id == ctx.caller.organisation_id
        query = select(db.task_event).join(task, task.c.id == db.task_event.c.task_id)
        found = rows(ctx, query.where(db.task_event.c.id == number(id), mine))
        if not found:
            raise missing("event", id)
        return found[0]

    @resolvers.query("reusableTaskFor")
    def _reusable(_parent: object, ctx: Context, action_hash: str, args: dict[str, Any]) -> Row | None:
        done = tasks(
            ctx,
            {"state": ["COMPLETED"], "argsHash": args_hash(args)},
            [{"createdAt": "DESC"}],
            {"limit": 1},
            task.c.action_id.in_(select(db.action.c.id).where(db.action.c.hash == action_hash, db.action.c.pure)),
        )
        return done[0] if done else None


_EVENT_TESTS: dict[str, Test] = {
    "ids": lambda row, value: row["id"] in {number(one) for one in value},
    "kind": lambda row, value: row["kind"] in value,
}


def _fields(resolvers: Resolvers) -> None:
    for name in ("root", "parent"):

        @resolvers.field("Task", name)
        def _other(row: Row, ctx: Context, column: str = f"{name}_id") -> Row | None:
            return None if row[column] is None else task_by_id(ctx, row[column])

    @resolvers.field("Task", "action")
    def _action(row: Row, ctx: Context) -> Row:
        return action_by_id(ctx, row["action_id"])

    @resolvers.field("Task", "implementation")
    def _implementation(row: Row, ctx: Context) -> Row | None:
        found = implementations(ctx, {"ids": [str(row["implementation_id"])]})
        return found[0] if found else None

    @resolvers.field("Task", "agent")
    def _agent(row: Row, ctx: Context) -> Row | None:
        found = agents(ctx, {"ids": [str(row["agent_id"])]})
        return found[0] if found else None

    @resolvers.field("Task", "caller")
    def _caller(row: Row, ctx: Context) -> Row:
        someone = broker(ctx).parties.get(row["party_id"])
        return {
            "id": someone.id,
            "client": client_of(someone),
            "user": {"id": someone.sub, "sub": someone.sub},
            "organization": {"slug": someone.organisation},
        }

    @resolvers.field("Task", "children")
    def _children(
        row: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return tasks(ctx, filters, ordering, pagination, task.c.parent_id == row["id"])

    @resolvers.field("Task", "events")
    def _events(
        row: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        found = rows(ctx, _EVENTS, number=row["id"])
        found = [event for event in found if matches(event, filters, _EVENT_TESTS)]
        return paged(ordered(found, ordering, {"createdAt": "created_at"}), pagination)

    @resolvers.field("Task", "instructs")
    def _instructs(row: Row, ctx: Context) -> list[Row]:
        return rows(ctx, _INSTRUCTS, number=row["id"])

    @resolvers.field("Task", "arg")
    def _arg(row: Row, _ctx: Context, key: str) -> Any:
        return row["args"].get(key)

    @resolvers.field("Action", "tasks")
    def _of_action(
        row: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return tasks(ctx, filters, ordering, pagination, task.c.action_id == row["id"])

    @resolvers.field("Agent", "tasks")
    def _of_agent(
        row: Row, ctx: Context, filters: Any = None, ordering: Ordering = None, pagination: Page = None
    ) -> list[Row]:
        return tasks(ctx, filters, ordering, pagination, task.c.agent_id == row["id"])

    @resolvers.field("Implementation", "myLatestTask")
    def _latest(row: Row, ctx: Context) -> Row | None:
        mine = (task.c.implementation_id == row["id"], task.c.party_id == party(ctx).id)
        found = tasks(ctx, None, [{"createdAt": "DESC"}], {"limit": 1}, *mine)
        return found[0] if found else None

    for typename in ("TaskEvent", "TaskInstruct"):

        @resolvers.field(typename, "task")
        def _task_of(row: Row, ctx: Context) -> Row:
            return task_by_id(ctx, row["task_id"])

    @resolvers.field("TaskEvent", "reference")
    def _reference(row: Row, _ctx: Context) -> str:
        return str(row["id"])

    @resolvers.field("TaskEvent", "name")
    def _name(row: Row, _ctx: Context) -> str:
        kind: str = row["kind"]
        return kind


def _feeds(resolvers: Resolvers) -> None:
    @resolvers.subscription("mytasks")
    async def _mine(_parent: object, ctx: Context) -> AsyncIterator[Row]:
        async for message in broker(ctx).feeds.mine(party(ctx).id):
            yield message

    @resolvers.subscription("tasks")
    async def _all(_parent: object, ctx: Context) -> AsyncIterator[Row]:
        async with ctx.platform.topics.subscribe(("tasks", ctx.caller.organisation_id)) as feed:
            async for message in feed:
                yield message

    @resolvers.subscription("childTasks")
    async def _children(_parent: object, ctx: Context, id: str) -> AsyncIterator[Row]:  # noqa: A002 - the wire's name
        parent = task_by_id(ctx, id)
        async with ctx.platform.topics.subscribe(("child-tasks", parent["id"])) as feed:
            async for message in feed:
                yield message

    @resolvers.subscription("agentTasks")
    async def _of_agent(_parent: object, ctx: Context, agent: str) -> AsyncIterator[Row]:
        found = agents(ctx, {"ids": [agent]})
        if not found:
            raise missing("agent", agent)
        async with ctx.platform.topics.subscribe(("agent-tasks", found[0]["id"])) as feed:
            async for message in feed:
                yield message
