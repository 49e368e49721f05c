"""Things around an image: instruments, stages, eras, plates, collections; and what a person pinned."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.graphql._resolvers import snake_case
from jupyter_arkitekt.server.mikro._access import find, get, mutation, named, stamp
from jupyter_arkitekt.server.mikro._records import Record
from jupyter_arkitekt.server.mikro._units import with_unit

#: Part of the mutations' names, table, word, and the member that says whether two are the same ("": none does).
_THINGS = (
    ("Camera", db.camera, "camera", "serialNumber"),
    ("Instrument", db.instrument, "instrument", "serialNumber"),
    ("Objective", db.objective, "objective", "serialNumber"),
    ("MultiWellPlate", db.plate, "multi-well plate", "name"),
    ("Stage", db.stage, "stage", ""),
    ("Era", db.era, "era", ""),
    ("ViewCollection", db.collection, "view collection", ""),
    ("RgbContext", db.rgb_context, "RGB context", ""),
)
_MADE_ELSEWHERE = ("RgbContext",)
_PINS = {
    "pinDataset": ("dataset", db.dataset),
    "pinImage": ("image", db.image),
    "pinRoi": ("roi", db.roi),
    "pinSnapshot": ("snapshot", db.snapshot),
    "pinStage": ("stage", db.stage),
}


def register(resolvers: Resolvers) -> None:
    """Attach the mutations."""
    for part, table, what, key in _THINGS:
        if part not in _MADE_ELSEWHERE:
            _create(resolvers, part, table, what)
        if key:
            _ensure(resolvers, part, table, what, key)
        _delete(resolvers, part, table, what)
    for name, (kind, table) in _PINS.items():
        _pin(resolvers, name, kind, table)


def _row(ctx: Context, given: dict[str, Any], what: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        snake_case(name): value for name, value in given.items() if name not in ("name", "begin", "instrument")
    }
    for name in ("pixel_size_x", "pixel_size_y"):
        if name in row:
            row[name] = with_unit(row[name], "µm")
    if given.get("begin") is not None:
        row["begin"] = given["begin"].timestamp()
    name = given.get("name") or f"{what} {given.get('serialNumber', '')}".strip()
    return {**stamp(ctx), **named(name), **row}


def _add(ctx: Context, table: Table, given: dict[str, Any], what: str) -> Record:
    with ctx.platform.db.begin() as connection:
        key = _insert(connection, ctx, table, given, what)
    return get(ctx, table, what, key)


def _insert(connection: Connection, ctx: Context, table: Table, given: dict[str, Any], what: str) -> int:
    row = _row(ctx, given, what)
    if given.get("instrument") is not None:
        row["instrument_id"] = find(connection, ctx, db.instrument, "instrument", given["instrument"])["id"]
    inserted = connection.execute(insert(table).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def _create(resolvers: Resolvers, part: str, table: Table, what: str) -> None:
    @mutation(resolvers, f"create{part}")
    def _resolve(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        return _add(ctx, table, input, what)


def _ensure(resolvers: Resolvers, part: str, table: Table, what: str, key: str) -> None:
    @mutation(resolvers, f"ensure{part}")
    def _resolve(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        same = select(table.c.id).where(
            table.c.organisation_id == ctx.caller.organisation_id, table.c[snake_case(key)] == input[key]
        )
        with ctx.platform.db.begin() as connection:
            found = connection.scalar(same.order_by(table.c.id).limit(1))
            if found is None:
                found = _insert(connection, ctx, table, input, what)
        return get(ctx, table, what, found)


def _delete(resolvers: Resolvers, part: str, table: Table, what: str) -> None:
    @mutation(resolvers, f"delete{part}")
    def _resolve(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        try:
            with ctx.platform.db.begin() as connection:
                row = find(connection, ctx, table, what, input["id"])
                connection.execute(delete(table).where(table.c.id == row["id"]))
        except IntegrityError:
            raise Refuse(f"the {what} {input['id']} is in use, it cannot be deleted", code="IN_USE") from None
        return str(row["id"])


def _pin(resolvers: Resolvers, name: str, kind: str, table: Table) -> None:
    @mutation(resolvers, name)
    def _resolve(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        pin = {"user_id": ctx.caller.user_id, "kind": kind}
        with ctx.platform.db.begin() as connection:
            row = find(connection, ctx, table, kind, input["id"])
            pin["object_id"] = row["id"]
            connection.execute(delete(db.pin).where(*(db.pin.c[column] == value for column, value in pin.items())))
            if input["pin"]:
                connection.execute(insert(db.pin).values(pin))
        return get(ctx, table, kind, row["id"])
