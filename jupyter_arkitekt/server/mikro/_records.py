"""Rows that know the rows they were loaded with.

A list of images asks each image for its views, each view for its stage. Instead of one query for each of them, the
first one that asks loads for all rows of its batch: a page of images with views and stages is three queries, whatever
its length. Children that were loaded together are one batch again.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, select
from sqlalchemy.engine import Connection, RowMapping

from jupyter_arkitekt.server.graphql import Context

#: Ids in one statement; SQLite allows 32,766 variables (https://www.sqlite.org/limits.html).
CHUNK = 10_000


class Batch:
    """Records that were loaded together, and what has been loaded for all of them."""

    __slots__ = ("found", "records")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.found: dict[Hashable, dict[int, Any]] = {}


class Record(dict[str, Any]):
    """A row under the names of its columns; what is in its ``data`` column is lifted beside them."""

    __slots__ = ("batch",)
    batch: Batch


def records(rows: Iterable[RowMapping]) -> list[Record]:
    """Make one batch of `rows`."""
    batch = Batch()
    for row in rows:
        record = Record(row)
        record.update(record.pop("data", {}))
        record.batch = batch
        batch.records.append(record)
    return batch.records


def load(ctx: Context, statement: Select[Any]) -> list[Record]:
    """Run `statement` and return its rows as one batch."""
    with ctx.platform.db.connect() as connection:
        return records(connection.execute(statement).mappings())


def load_in(ctx: Context, statement: Select[Any], column: ColumnElement[Any], keys: Iterable[int]) -> list[Record]:
    """Run `statement` for those rows whose `column` is one of `keys`, and return them as one batch."""
    with ctx.platform.db.connect() as connection:
        return records(_rows_in(connection, statement, column, sorted(set(keys))))


def _rows_in(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], keys: Sequence[int]
) -> Iterator[RowMapping]:
    for start in range(0, len(keys), CHUNK):
        yield from connection.execute(statement.where(column.in_(keys[start : start + CHUNK]))).mappings()


def parent(ctx: Context, record: Record, column: str, table: Table) -> Record | None:
    """Return the row of `table` that `column` of `record` names."""
    key = record[column]
    if key is None:
        return None
    batch = record.batch
    found = batch.found.get(column)
    if found is None:
        keys = (each[column] for each in batch.records if each[column] is not None)
        found = {each["id"]: each for each in load_in(ctx, select(table), table.c.id, keys)}
        batch.found[column] = found
    result: Record | None = found.get(key)
    return result


def children(
    ctx: Context, record: Record, name: Hashable, statement: Select[Any], column: ColumnElement[Any], label: str
) -> list[Record]:
    """Return those rows of `statement` whose `column` is the id of `record`, in the statement's order.

    Parameters
    ----------
    name
        What is asked for, arguments included: the same for all records of the batch.
    statement
        Selects the children of all records; has to select `column` under the name `label`.
    """
    batch = record.batch
    groups: dict[int, list[Record]] | None = batch.found.get(name)
    if groups is None:
        groups = {}
        for each in load_in(ctx, statement, column, (each["id"] for each in batch.records)):
            groups.setdefault(each[label], []).append(each)
        batch.found[name] = groups
    return groups.get(record["id"], [])
