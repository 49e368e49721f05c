"""Writing views: one way for all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Refuse
from jupyter_arkitekt.server.mikro._access import find, named, stamp
from jupyter_arkitekt.server.mikro._records import Record
from jupyter_arkitekt.server.mikro._stores import finished
from jupyter_arkitekt.server.mikro._view_kinds import KINDS, Link, ViewKind, box


def add_view(
    connection: Connection, ctx: Context, kind: str, image: Record, given: Mapping[str, Any], index: int = 0
) -> int:
    """Insert a view of `image` and return its id.

    Parameters
    ----------
    given
        Members of the wire's input.
    index
        Which of several views of one request it is, for the name of what is made along with it.

    Raises
    ------
    Refuse
        If a member is out of bounds, or names a row that is not there.
    """
    what = KINDS[kind]
    row = {
        **stamp(ctx),
        "image_id": image["id"],
        "kind": kind,
        **box(given),
        "collection_id": None,
        **links(connection, ctx, what, image, given, index),
        "data": what.values(given),
    }
    if given.get("collection") is not None:
        row["collection_id"] = find(connection, ctx, db.collection, "view collection", given["collection"])["id"]
    if kind == "SCALE":
        row["data"] = _scales(connection, ctx, image, row)
    inserted = connection.execute(insert(db.view).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def links(
    connection: Connection, ctx: Context, kind: ViewKind, image: Record, given: Mapping[str, Any], index: int
) -> dict[str, int]:
    """Return the columns of the rows that a view names, each checked."""
    columns = {}
    for name, link in kind.links.items():
        value = given.get(name)
        if value is not None:
            columns[link.column] = _linked(connection, ctx, link, value)
        elif link.required:
            columns[link.column] = _made(connection, ctx, kind, link, name, f"Unknown for {image['name']} and {index}")
    return columns


def _linked(connection: Connection, ctx: Context, link: Link, value: object) -> int:
    if link.column == "labels_id":
        return int(finished(connection, ctx, value, "parquet")["id"])
    row = find(connection, ctx, link.table, link.what, value)
    if link.column == "reference_id" and row["kind"] != "REFERENCE":
        raise Refuse(f"the view {value} is no reference view", code="BAD_INPUT")
    return int(row["id"])


def _made(connection: Connection, ctx: Context, kind: ViewKind, link: Link, name: str, called: str) -> int:
    """Make the stage or era that nobody named: a place and a time of their own, which may be named later."""
    if link.table not in (db.stage, db.era):
        raise Refuse(f"a {kind.typename} needs the id of its {link.what}, as {name}", code="BAD_INPUT")
    inserted = connection.execute(insert(link.table).values(**stamp(ctx), **named(called[:1000]))).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def _scales(connection: Connection, ctx: Context, image: Record, row: Mapping[str, Any]) -> dict[str, float]:
    """Complete the scale factors: where none was given, how many times larger the parent is."""
    parent = find(connection, ctx, db.image, "image", row["origin_id"])
    own, other = (find(connection, ctx, db.store, "zarr store", each["store_id"])["shape"] for each in (image, parent))
    scales = {}
    for axis, size, parent_size in zip("CTZYX", own, other, strict=True):
        given = row["data"][f"scale{axis}"]
        if given is not None and not given > 0:
            raise Refuse(f"a scale is larger than 0, scale{axis} is {given}", code="BAD_INPUT")
        scales[f"scale{axis}"] = parent_size / size if given is None else given
    return scales


def add_context(
    connection: Connection, ctx: Context, image: Record, name: str, given: Mapping[str, Any] | None = None
) -> int:
    """Insert an RGB context of `image` and return its id."""
    places = {axis: (given or {}).get(axis) or 0 for axis in "ztc"}
    row = {**stamp(ctx), **named(name), "image_id": image["id"], "blending": "ADDITIVE", **places}
    inserted = connection.execute(insert(db.rgb_context).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def put_in_context(connection: Connection, context: int, views: list[int]) -> None:
    """Add `views` to an RGB context."""
    if views:
        connection.execute(insert(db.context_view), [{"context_id": context, "view_id": view} for view in views])
