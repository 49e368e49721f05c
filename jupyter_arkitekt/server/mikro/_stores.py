"""Stores: places in the object store that hold one array, table or file, and the grants to reach them.

A store is made by a request for an upload, under a fresh random key, and becomes part of something (an image, a file)
only after its object was seen in the object store. Its life ends with the last thing that needs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, exists, insert, select, update

from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.mikro import _zarr
from jupyter_arkitekt.server.mikro._access import find, get, mutation, stamp
from jupyter_arkitekt.server.mikro._records import Record

#: Seconds that a grant is good for; clients ask again.
GRANT_SECONDS = 3600

#: There is no limit at the door of the object store; this is the largest number that the field can say.
MAX_BYTES = 2**31 - 1

REGION = "us-east-1"


@dataclass(frozen=True)
class Kind:
    """A kind of store: its bucket, and the part of GraphQL's names that means it."""

    bucket: str
    word: str  # requestZarrUpload
    typename: str  # ZarrStore


KINDS = (
    Kind("zarr", "Zarr", "ZarrStore"),
    Kind("parquet", "Parquet", "ParquetStore"),
    Kind("bigfile", "Bigfile", "BigFileStore"),
    Kind("media", "Media", "MediaStore"),
)

#: Columns that need a store, for finding out whether one is still needed.
_USERS = (
    db.image.c.store_id,
    db.file.c.store_id,
    db.table.c.store_id,
    db.mesh.c.store_id,
    db.snapshot.c.store_id,
    db.view.c.labels_id,
)

Place = tuple[str, str]


def register(resolvers: Resolvers) -> None:
    """Attach uploads, accesses and the stores' computed fields."""
    for kind in KINDS:
        _register(resolvers, kind)


def _register(resolvers: Resolvers, kind: Kind) -> None:
    @mutation(resolvers, f"request{kind.word}Upload")
    def _upload(_parent: object, ctx: Context, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - the wire's name
        key = uuid4().hex
        row = {
            **stamp(ctx),
            "kind": kind.bucket,
            "bucket": kind.bucket,
            "key": key,
            "finished": False,
            "original_file_name": input.get("originalFileName"),
            "content_type": input.get("contentType"),
            "data": {"shape": [], "chunks": [], "fillValue": 0} if kind.bucket == "zarr" else {},
        }
        with ctx.platform.db.begin() as connection:
            store = connection.execute(insert(db.store).values(row)).inserted_primary_key
        assert store is not None
        return {**_grant(ctx, kind.bucket, key, write=True), "store": str(store[0]), "maxBytes": MAX_BYTES}

    @mutation(resolvers, f"request{kind.word}Access")
    def _access(_parent: object, ctx: Context, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - the wire's name
        store = get(ctx, db.store, f"{kind.bucket} store", input["storeId"])
        _check_kind(store, (kind.bucket,), input["storeId"])
        return {**_grant(ctx, store["bucket"], store["key"], write=False), "store": str(store["id"])}

    @mutation(resolvers, f"finish{kind.word}Upload")
    async def _finish(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        if not input["valid"]:
            return await _give_up(ctx, kind, input["storeId"])
        with ctx.platform.db.begin() as connection:
            return finished(connection, ctx, input["storeId"], kind.bucket)

    @resolvers.field(kind.typename, "path")
    def _path(store: Record, _ctx: Context) -> str:
        return f"s3://{store['bucket']}/{store['key']}"

    if kind.bucket != "zarr":

        @resolvers.field(kind.typename, "presignedUrl")
        def _presigned(store: Record, ctx: Context, host: str | None = None) -> str:  # noqa: ARG001 - signed for who asks
            """Return path and query, which a client appends to the address of the object store."""
            grants = ctx.platform.grants
            grant = grants.issue(store["bucket"], store["key"], write=False, seconds=GRANT_SECONDS)
            return grants.presign(grant, host=ctx.headers.get("host", ""), seconds=GRANT_SECONDS)


def _grant(ctx: Context, bucket: str, key: str, *, write: bool) -> dict[str, Any]:
    grant = ctx.platform.grants.issue(bucket, key, write=write, seconds=GRANT_SECONDS)
    return {
        "status": "granted",
        "accessKey": grant.access_key,
        "secretKey": grant.secret_key,
        "sessionToken": grant.session_token,
        "region": REGION,
        "bucket": grant.bucket,
        "key": grant.key,
        "path": grant.path,
        "expiresIn": grant.expires_in,
    }


def _check_kind(store: Record, kinds: tuple[str, ...], value: object) -> None:
    if store["kind"] not in kinds:
        raise Refuse(f"the store {value} holds {store['kind']}, not {' or '.join(kinds)}", code="BAD_INPUT")


def finished(connection: Connection, ctx: Context, value: object, *kinds: str) -> Record:
    """Return the store `value` after its object was seen, and for an array read.

    Raises
    ------
    Refuse
        If there is no such store of one of `kinds`, or nothing usable was uploaded to it.
    """
    store = find(connection, ctx, db.store, f"{kinds[0]} store", value)
    _check_kind(store, kinds, value)
    if store["kind"] == "zarr":
        store.update(_array(ctx, store))
    elif not ctx.platform.storage.exists(store["bucket"], store["key"]):
        raise Refuse(
            f"nothing was uploaded to the store {value}; write the object first, with the credentials of the upload",
            code="NOT_UPLOADED",
        )
    store["finished"] = True
    facts = {name: each for name, each in store.items() if name not in db.store.c}
    connection.execute(update(db.store).where(db.store.c.id == store["id"]).values(finished=True, data=facts))
    return store


def _array(ctx: Context, store: Record) -> dict[str, Any]:
    storage, bucket, key = ctx.platform.storage, store["bucket"], f"{store['key']}/zarr.json"
    size = storage.size(bucket, key)
    if size is not None and size > _zarr.LARGEST_DOCUMENT:
        raise Refuse(f"the zarr.json of store {store['id']} has {size} bytes, which is too many", code="BAD_ARRAY")
    document = storage.read(bucket, key)
    if document is None:
        raise Refuse(
            f"the upload to store {store['id']} did not finish: there is no zarr.json; write the array first, with the "
            "credentials of the upload",
            code="NOT_UPLOADED",
        )
    try:
        return _zarr.read_document(document)
    except _zarr.InvalidArray as error:
        raise Refuse(f"the array in store {store['id']} cannot be used: {error}", code="BAD_ARRAY") from error


async def _give_up(ctx: Context, kind: Kind, value: object) -> Record:
    with ctx.platform.db.begin() as connection:
        store = find(connection, ctx, db.store, f"{kind.bucket} store", value)
        _check_kind(store, (kind.bucket,), value)
        places = release(connection, [store["id"]])
        if not places:
            raise Refuse(f"the store {value} is in use, it cannot be given up", code="IN_USE")
    await erase(ctx, places)
    return store


def release(connection: Connection, stores: Iterable[int | None]) -> list[Place]:
    """Delete those of `stores` that nothing needs any more, and return their places for :func:`erase`."""
    places: list[Place] = []
    for key in {store for store in stores if store is not None}:
        needed = select(*(exists().where(column == key) for column in _USERS))
        if any(connection.execute(needed).one()):
            continue
        gone = connection.execute(
            delete(db.store).where(db.store.c.id == key).returning(db.store.c.bucket, db.store.c.key)
        ).one_or_none()
        if gone is not None:
            places.append((gone.bucket, gone.key))
    return places


async def erase(ctx: Context, places: Iterable[Place]) -> None:
    """Delete the objects of `places`; call it after the rows are gone for good."""
    for bucket, key in places:
        # An array can be tens of thousands of files.
        await asyncio.to_thread(ctx.platform.storage.delete_prefix, bucket, key)
