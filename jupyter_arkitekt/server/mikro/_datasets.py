"""Datasets: folders of images, files and other datasets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.mikro._access import find, get, mutation, named, stamp
from jupyter_arkitekt.server.mikro._records import Record

#: Part of the mutations' names, the table, its column that names a dataset, and a word for one row.
_MEMBERS = (
    ("Images", db.image, "dataset_id", "image"),
    ("Files", db.file, "dataset_id", "file"),
    ("Datasets", db.dataset, "parent_id", "dataset"),
)


def default_dataset(connection: Connection, ctx: Context) -> int:
    """Return the id of the caller's default dataset, made on demand."""
    own = select(db.dataset.c.id).where(
        db.dataset.c.organisation_id == ctx.caller.organisation_id,
        db.dataset.c.creator_id == ctx.caller.user_id,
        db.dataset.c.is_default,
    )
    found = connection.scalar(own)
    return int(found) if found is not None else _add(connection, ctx, "Default", None, is_default=True)


def register(resolvers: Resolvers) -> None:
    """Attach the mutations."""

    @mutation(resolvers, "createDataset")
    def _create(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            key = _add(connection, ctx, input["name"], input.get("parent"))
        return get(ctx, db.dataset, "dataset", key)

    @mutation(resolvers, "ensureDataset")
    def _ensure(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            same = select(db.dataset.c.id).where(
                db.dataset.c.organisation_id == ctx.caller.organisation_id, db.dataset.c.name == input["name"]
            )
            key = connection.scalar(same.order_by(db.dataset.c.id).limit(1))
            if key is None:
                key = _add(connection, ctx, input["name"], input.get("parent"))
        return get(ctx, db.dataset, "dataset", key)

    @mutation(resolvers, "updateDataset")
    def _update(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            dataset = find(connection, ctx, db.dataset, "dataset", input["id"])
            values = named(input["name"])
            if input.get("parent") is not None:
                values["parent_id"] = _parent_of(connection, ctx, dataset, input["parent"])
            connection.execute(update(db.dataset).where(db.dataset.c.id == dataset["id"]).values(values))
        return get(ctx, db.dataset, "dataset", dataset["id"])

    @mutation(resolvers, "deleteDataset")
    def _delete(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            dataset = find(connection, ctx, db.dataset, "dataset", input["id"])
            connection.execute(delete(db.dataset).where(db.dataset.c.id == dataset["id"]))
        return str(dataset["id"])

    for part, table, column, what in _MEMBERS:
        _membership(resolvers, part, table, column, what)


def _membership(resolvers: Resolvers, part: str, table: Table, column: str, what: str) -> None:
    @mutation(resolvers, f"put{part}InDataset")
    def _put(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            dataset = find(connection, ctx, db.dataset, "dataset", input["other"])
            for value in input["selfs"]:
                row = find(connection, ctx, table, what, value)
                target = _parent_of(connection, ctx, row, dataset["id"]) if table is db.dataset else dataset["id"]
                connection.execute(update(table).where(table.c.id == row["id"]).values({column: target}))
        return get(ctx, db.dataset, "dataset", dataset["id"])

    @mutation(resolvers, f"release{part}FromDataset")
    def _release(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            dataset = find(connection, ctx, db.dataset, "dataset", input["other"])
            for value in input["selfs"]:
                row = find(connection, ctx, table, what, value)
                inside = update(table).where(table.c.id == row["id"], table.c[column] == dataset["id"])
                connection.execute(inside.values({column: None}))
        return get(ctx, db.dataset, "dataset", dataset["id"])


def _add(connection: Connection, ctx: Context, name: str, parent: object, *, is_default: bool = False) -> int:
    above = None if parent is None else find(connection, ctx, db.dataset, "dataset", parent)["id"]
    row = {**stamp(ctx), **named(name), "parent_id": above, "is_default": is_default}
    inserted = connection.execute(insert(db.dataset).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def _parent_of(connection: Connection, ctx: Context, dataset: Record, parent: object) -> int:
    """Return the id of the new parent of `dataset`, checked not to lie inside of it."""
    above: Record | None = find(connection, ctx, db.dataset, "dataset", parent)
    assert above is not None
    target = int(above["id"])
    while above is not None:
        if above["id"] == dataset["id"]:
            raise Refuse("a dataset cannot lie inside of itself", code="BAD_INPUT")
        up = above["parent_id"]
        above = None if up is None else find(connection, ctx, db.dataset, "dataset", up)
    return target
