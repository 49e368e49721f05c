"""Regions of interest: vectors on an image."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, update

from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.mikro._access import find, get, mutation, stamp
from jupyter_arkitekt.server.mikro._events import changed
from jupyter_arkitekt.server.mikro._records import Record

#: Vectors of one region; a freehand line has some thousands.
_MOST_VECTORS = 100_000


def register(resolvers: Resolvers) -> None:
    """Attach the mutations."""

    @mutation(resolvers, "createRoi")
    def _create(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            image = find(connection, ctx, db.image, "image", input["image"])
            row = {**stamp(ctx), "image_id": image["id"], "kind": input["kind"], **_placed(input["vectors"])}
            inserted = connection.execute(insert(db.roi).values(row)).inserted_primary_key
            assert inserted is not None
        changed(ctx, "roi", "create", inserted[0], image["id"])
        return get(ctx, db.roi, "region of interest", inserted[0])

    @mutation(resolvers, "updateRoi")
    def _update(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            roi = find(connection, ctx, db.roi, "region of interest", input["roi"])
            values: dict[str, Any] = {}
            if input.get("kind") is not None:
                values["kind"] = input["kind"]
            if input.get("vectors") is not None:
                values |= _placed(input["vectors"])
            if values:
                connection.execute(update(db.roi).where(db.roi.c.id == roi["id"]).values(values))
        changed(ctx, "roi", "update", roi["id"], roi["image_id"])
        return get(ctx, db.roi, "region of interest", roi["id"])

    @mutation(resolvers, "deleteRoi")
    def _delete(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            roi = find(connection, ctx, db.roi, "region of interest", input["id"])
            connection.execute(delete(db.roi).where(db.roi.c.id == roi["id"]))
        changed(ctx, "roi", "delete", roi["id"], roi["image_id"])
        return str(roi["id"])


def _placed(vectors: list[list[float]]) -> dict[str, Any]:
    """Return the columns of `vectors`, each the last ones of c, t, z, y, x, and of the box around them."""
    if not vectors or len(vectors) > _MOST_VECTORS:
        raise Refuse(f"a region has 1 to {_MOST_VECTORS} vectors, this one has {len(vectors)}", code="BAD_INPUT")
    columns: dict[str, Any] = {"vectors": vectors}
    for place, axis in enumerate("xyzt", start=1):
        values = [vector[-place] for vector in vectors if len(vector) >= place]
        columns[f"min_{axis}"] = min(values, default=None)
        columns[f"max_{axis}"] = max(values, default=None)
    return columns
