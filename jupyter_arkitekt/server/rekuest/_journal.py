"""The record of tasks: one writer, one commit per tick of the loop, and nothing is sent before it is recorded.

Everything that happens within one tick of the event loop becomes one transaction: under load a commit carries many
events, at rest it follows at once. Whoever has to tell somebody about it leaves a callback; callbacks run after the
commit, in the order in which they came.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.sql import Executable

from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.db import rekuest as tables
from jupyter_arkitekt.server.rekuest._task import Event, Task

logger = logging.getLogger("arkitekt.rekuest")

_MUTABLE = (
    "session",
    "is_done",
    "latest_event_kind",
    "latest_instruct_kind",
    "status_message",
    "updated_at",
    "finished_at",
)
_INSERT_TASK = insert(tables.task)
_INSERT_EVENT = insert(tables.task_event)
_INSERT_INSTRUCT = insert(tables.task_instruct)
_UPDATE_TASK = (
    update(tables.task)
    .where(tables.task.c.id == bindparam("this"))
    .values({name: bindparam(f"new_{name}") for name in _MUTABLE})
)


@dataclass(slots=True)
class _Batch:
    """What one commit will record."""

    new: dict[int, Task] = field(default_factory=dict)
    changed: dict[int, Task] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    instructs: list[dict[str, Any]] = field(default_factory=list)
    other: list[tuple[Executable, list[dict[str, Any]]]] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)
    written: asyncio.Future[None] | None = None


class Journal:
    """Writer of tasks, events and instructions.

    Parameters
    ----------
    db
        The platform's database.
    on_failure
        Called with the tasks whose record could not be written, and why. Nobody was told about what happened to them.
    """

    def __init__(self, db: Database, on_failure: Callable[[list[Task], Exception], None]) -> None:
        self._db = db
        self._on_failure = on_failure
        self._batch: _Batch | None = None
        with db.connect() as connection:
            self._last = {
                table.name: connection.scalar(select(func.max(table.c.id))) or 0
                for table in (tables.task, tables.task_event, tables.snapshot, tables.patch)
            }

    def task_id(self) -> int:
        """Return the number of the next task."""
        return self.next_id(tables.task.name)

    def event_id(self) -> int:
        """Return the number of the next event."""
        return self.next_id(tables.task_event.name)

    def create(self, task: Task) -> None:
        """Record a new task, as it will be at the end of this tick."""
        self._open().new[task.id] = task

    def change(self, task: Task) -> None:
        """Record that `task` changed."""
        batch = self._open()
        if task.id not in batch.new:
            batch.changed[task.id] = task

    def event(self, event: Event) -> None:
        """Record `event`."""
        self._open().events.append(event)

    def instruct(self, task: Task, kind: str, now: float) -> None:
        """Record what somebody asked of `task`."""
        self._open().instructs.append({"task_id": task.id, "kind": kind, "created_at": now})

    def execute(self, statement: Executable, rows: Iterable[dict[str, Any]]) -> None:
        """Execute `statement` for each of `rows` after the tasks and events of this tick."""
        other = self._open().other
        if other and other[-1][0] is statement:
            other[-1][1].extend(rows)
        else:
            other.append((statement, list(rows)))

    def after(self, callback: Callable[[], None]) -> None:
        """Call `callback` once everything up to here is recorded."""
        self._open().after.append(callback)

    async def written(self) -> None:
        """Wait until everything up to here is recorded.

        Raises
        ------
        Exception
            What the database said, if it could not be.
        """
        batch = self._batch
        if batch is None:
            return
        if batch.written is None:
            batch.written = asyncio.get_running_loop().create_future()
        await asyncio.shield(batch.written)

    def flush(self) -> None:
        """Record everything up to here now."""
        batch, self._batch = self._batch, None
        if batch is None:
            return
        try:
            with self._db.begin() as connection:
                _write(connection, batch)
        except Exception as error:
            logger.exception("Events of %d tasks could not be recorded", len(batch.new) + len(batch.changed))
            self._on_failure([*batch.new.values(), *batch.changed.values()], error)
            if batch.written is not None and not batch.written.done():
                batch.written.set_exception(error)
            return
        for callback in batch.after:
            try:
                callback()
            except Exception:  # the others are still to be told
                logger.exception("Somebody could not be told about a recorded event")
        if batch.written is not None and not batch.written.done():
            batch.written.set_result(None)

    def next_id(self, table: str) -> int:
        """Return the number of the next row of `table`, which only this journal writes."""
        self._last[table] += 1
        return self._last[table]

    def _open(self) -> _Batch:
        if self._batch is None:
            self._batch = _Batch()
            asyncio.get_running_loop().call_soon(self.flush)
        return self._batch


def _write(connection: Connection, batch: _Batch) -> None:
    if batch.new:
        connection.execute(_INSERT_TASK, [task.row() for task in batch.new.values()])
    if batch.changed:
        rows = [
            {"this": task.id} | {f"new_{name}": getattr(task, name) for name in _MUTABLE}
            for task in batch.changed.values()
        ]
        connection.execute(_UPDATE_TASK, rows)
    if batch.events:
        connection.execute(_INSERT_EVENT, [event.row() for event in batch.events])
    if batch.instructs:
        connection.execute(_INSERT_INSTRUCT, batch.instructs)
    for statement, rows in batch.other:
        connection.execute(statement, rows)
