"""The record of tasks: one commit per tick, nothing told before it, and nothing told when it failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, select

from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.db import rekuest as tables
from jupyter_arkitekt.server.rekuest._journal import Journal
from jupyter_arkitekt.server.rekuest._task import Event, Task
from jupyter_arkitekt.server.settings import Settings

OFFER = (
    "INSERT INTO rekuest_party VALUES (1, 'c', 1, 1, 's', 'u', 'o', 'a', '1', NULL)",
    (
        "INSERT INTO rekuest_action (id, organisation_id, organisation, app, key, version, hash, name, kind, stateful, pure, "
        "idempotent, allow_probe, is_dev, defined_at) VALUES (1, 1, 'o', 'a', 'k', '1', 'h', 'n', 'FUNCTION', 0, 0, 0, 0, 0, 0)"
    ),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(Settings(data_dir=tmp_path))
    with opened.begin() as connection:
        for statement in OFFER:
            connection.exec_driver_sql(statement)
    yield opened
    opened.close()


def task(journal: Journal) -> Task:
    return Task(journal.task_id(), 1, 1, "r", {"a": 20.0}, "", 1, "h", None, None, "f", 0.0, 0.0)


def complete(journal: Journal, one: Task) -> None:
    happened = Event(journal.event_id(), one.id, "COMPLETED", 1.0)
    one.apply(happened)
    journal.event(happened)
    journal.change(one)


async def test_a_tick_is_one_commit_and_is_told_afterwards_in_order(database: Database) -> None:
    commits: list[str] = []
    event.listen(database.engine, "commit", lambda _connection: commits.append("commit"))
    journal = Journal(database, lambda _tasks, _error: pytest.fail("nothing failed"))
    for _ in range(3):
        one = task(journal)
        journal.create(one)
        journal.after(lambda number=one.id: commits.append(f"told {number}"))  # type: ignore[misc]  # binds number
        complete(journal, one)
    await journal.written()
    assert commits == ["commit", "told 1", "told 2", "told 3"]
    with database.connect() as connection:
        rows = connection.execute(select(tables.task)).mappings().all()
        assert [(row["id"], row["is_done"], str(row["args"]["a"])) for row in rows] == [
            (1, True, "20.0"),
            (2, True, "20.0"),
            (3, True, "20.0"),
        ]
    assert Journal(database, lambda _tasks, _error: None).task_id() == 4


async def test_what_could_not_be_recorded_is_told_to_nobody(database: Database) -> None:
    failed: list[int] = []
    journal = Journal(database, lambda tasks, _error: failed.extend(one.id for one in tasks))
    with database.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON rekuest_task BEGIN SELECT raise(ABORT, 'full'); END"
        )
    one = task(journal)
    journal.create(one)
    journal.after(lambda: pytest.fail("told although it is not recorded"))
    with pytest.raises(Exception, match="full"):
        await journal.written()
    assert failed == [one.id]
    with database.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    other = task(journal)
    journal.create(other)
    await journal.written()
    with database.connect() as connection:
        assert connection.scalars(select(tables.task.c.id)).all() == [other.id]


def test_a_task_that_has_ended_does_not_change_any_more() -> None:
    one = Task(1, 1, 1, "r", {}, "", 1, "h", None, None, "f", 0.0, 0.0)
    one.apply(Event(1, 1, "PROGRESS", 1.0, message="half"))
    assert (one.latest_event_kind, one.status_message, one.is_done) == ("STARTED", "half", False)
    one.apply(Event(2, 1, "CANCELLED", 2.0))
    assert (one.latest_event_kind, one.is_done, one.finished_at) == ("CANCELLED", True, 2.0)
    with pytest.raises(AssertionError, match="too late"):
        one.apply(Event(3, 1, "COMPLETED", 3.0))
