"""Files, tables, meshes and snapshots: one finished upload each, with a name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, delete, insert

from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Resolvers
from jupyter_arkitekt.server.mikro._access import find, get, mutation, named, stamp
from jupyter_arkitekt.server.mikro._datasets import default_dataset
from jupyter_arkitekt.server.mikro._events import changed
from jupyter_arkitekt.server.mikro._records import Record
from jupyter_arkitekt.server.mikro._stores import erase, finished, release

_DELETE = {
    "deleteFile": (db.file, "file"),
    "deleteMesh": (db.mesh, "mesh"),
    "deleteSnapshot": (db.snapshot, "snapshot"),
}


def register(resolvers: Resolvers) -> None:
    """Attach the mutations."""

    @mutation(resolvers, "fromFileLike")
    def _file(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            store = finished(connection, ctx, input["file"], "bigfile")
            dataset = _dataset(connection, ctx, input)
            size = ctx.platform.storage.size(store["bucket"], store["key"])
            name = store["original_file_name"] or input["fileName"]
            key = _add(connection, ctx, db.file, name, store_id=store["id"], dataset_id=dataset, size=size)
            _origins(connection, ctx, db.file_origin, key, input)
        changed(ctx, "file", "create", key, dataset)
        return get(ctx, db.file, "file", key)

    @mutation(resolvers, "fromParquetLike")
    def _table(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            store = finished(connection, ctx, input["dataframe"], "parquet")
            dataset = _dataset(connection, ctx, input)
            key = _add(connection, ctx, db.table, input["name"], store_id=store["id"], dataset_id=dataset)
            _origins(connection, ctx, db.table_origin, key, input)
        return get(ctx, db.table, "table", key)

    @mutation(resolvers, "createMesh")
    def _mesh(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            store = finished(connection, ctx, input["mesh"], "bigfile", "media")
            key = _add(connection, ctx, db.mesh, input["name"], store_id=store["id"])
        return get(ctx, db.mesh, "mesh", key)

    @mutation(resolvers, "createSnapshot")
    def _snapshot(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            image = find(connection, ctx, db.image, "image", input["image"])
            key = add_snapshot(connection, ctx, image, input["file"], input.get("name") or "Snapshot")
        changed(ctx, "image", "update", image["id"], image["dataset_id"])
        return get(ctx, db.snapshot, "snapshot", key)

    for name, (table, what) in _DELETE.items():
        _delete(resolvers, name, table, what)


def add_snapshot(
    connection: Connection, ctx: Context, image: Record, store: object, name: str, context: int | None = None
) -> int:
    """Insert a snapshot of `image` whose picture is in the media store `store`, and return its id."""
    kept = finished(connection, ctx, store, "media")
    return _add(connection, ctx, db.snapshot, name, store_id=kept["id"], image_id=image["id"], context_id=context)


def _add(connection: Connection, ctx: Context, table: Table, name: str, **columns: Any) -> int:
    row = {**stamp(ctx), **named(name), **columns}
    inserted = connection.execute(insert(table).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def _dataset(connection: Connection, ctx: Context, given: dict[str, Any]) -> int:
    if given.get("dataset") is None:
        return default_dataset(connection, ctx)
    return int(find(connection, ctx, db.dataset, "dataset", given["dataset"])["id"])


def _origins(connection: Connection, ctx: Context, link: Table, owner: int, given: dict[str, Any]) -> None:
    for value in dict.fromkeys(given.get("origins") or ()):
        image = find(connection, ctx, db.image, "image", value)
        connection.execute(insert(link).values(owner_id=owner, image_id=image["id"]))


def _delete(resolvers: Resolvers, name: str, table: Table, what: str) -> None:
    @mutation(resolvers, name)
    async def _resolve(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            row = find(connection, ctx, table, what, input["id"])
            connection.execute(delete(table).where(table.c.id == row["id"]))
            places = release(connection, [row["store_id"]])
        if table is db.file:
            changed(ctx, "file", "delete", row["id"], row["dataset_id"])
        await erase(ctx, places)
        return str(row["id"])
