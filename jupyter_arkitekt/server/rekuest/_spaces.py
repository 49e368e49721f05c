"""Spaces, the placement of agents in them, and the models that show them; media files behind the models."""

from __future__ import annotations

import time
import uuid
from typing import Any

from sqlalchemy import insert, select, update

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.rekuest._agents import agent_by_id
from jupyter_arkitekt.server.rekuest._bloks import creator_of
from jupyter_arkitekt.server.rekuest._context import party, rows
from jupyter_arkitekt.server.rekuest._records import make, one, serve_delete, serve_list, serve_one
from jupyter_arkitekt.server.rekuest._rows import Row

BUCKET = "media"
GRANT_SECONDS = 3600
#: Bytes of one media file.
MAX_BYTES = 1024**3


def register(resolvers: Resolvers) -> None:
    """Attach what concerns spaces, models and media."""
    _spaces(resolvers)
    _models(resolvers)
    _media(resolvers)


def _spaces(resolvers: Resolvers) -> None:
    serve_one(resolvers, "space", db.space, "space")
    serve_list(resolvers, "spaces", db.space)
    serve_delete(resolvers, "deleteSpace", db.space, "space")

    @resolvers.mutation("createSpace")
    def _create(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        now = time.time()
        placements = [_placement(ctx, given) | {"created_at": now} for given in input.get("placements") or []]
        row = make(ctx, db.space, creator_id=party(ctx).id, name=input["name"], created_at=now, updated_at=now)
        if placements:
            with ctx.platform.db.begin() as connection:
                connection.execute(insert(db.placement), [each | {"space_id": row["id"]} for each in placements])
        return row

    resolvers.field("Space", "creator")(creator_of)

    @resolvers.field("Space", "placements")
    def _placements(row: Row, ctx: Context) -> list[Row]:
        placed = db.placement
        return rows(ctx, select(placed).where(placed.c.space_id == row["id"]).order_by(placed.c.id))

    @resolvers.field("Placement", "space")
    def _space(row: Row, ctx: Context) -> Row:
        return one(ctx, db.space, row["space_id"], "space")

    @resolvers.field("Placement", "agent")
    def _agent(row: Row, ctx: Context) -> Row:
        return agent_by_id(ctx, row["agent_id"])

    @resolvers.field("Placement", "name")
    def _name(row: Row, ctx: Context) -> str:
        return str(row["role"] or agent_by_id(ctx, row["agent_id"])["name"])

    for name, table, column in (
        ("blok", db.materialized_blok, "blok_id"),
        ("model", db.threed_model, "model_id"),
    ):

        @resolvers.field("Placement", name)
        def _part(row: Row, ctx: Context, table: Any = table, column: str = column, name: str = name) -> Row | None:
            return None if row[column] is None else one(ctx, table, row[column], name)


def _placement(ctx: Context, given: dict[str, Any]) -> Row:
    if given.get("agent") is None:
        raise Refuse("a placement places an agent; name it", code="BAD_INPUT")
    model, blok = given.get("model"), given.get("blok")
    return {
        "agent_id": agent_by_id(ctx, given["agent"])["id"],
        "model_id": None if model is None else one(ctx, db.threed_model, model, "3-D model")["id"],
        "blok_id": None if blok is None else one(ctx, db.materialized_blok, blok, "materialized blok")["id"],
        "role": given.get("role") or "",
        "affine_matrix": given.get("affineMatrix"),
    }


def _models(resolvers: Resolvers) -> None:
    serve_one(resolvers, "threedModel", db.threed_model, "3-D model")
    serve_list(resolvers, "threedModels", db.threed_model)
    serve_delete(resolvers, "deleteThreedModel", db.threed_model, "3-D model")

    @resolvers.mutation("createThreedModel")
    def _create(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        now = time.time()
        store = one(ctx, db.media, input["media"], "media file")
        if not store["finished"]:
            raise Refuse(f"the upload of the media file {store['id']} is not finished", code="BAD_INPUT")
        return make(
            ctx,
            db.threed_model,
            name=input["name"],
            description=input.get("description"),
            media_id=store["id"],
            created_at=now,
            updated_at=now,
        )

    @resolvers.field("ThreeDModel", "file")
    def _file(row: Row, ctx: Context) -> Row:
        return _store(one(ctx, db.media, row["media_id"], "media file"))


def _store(row: Row) -> Row:
    return row | {"bucket": BUCKET, "path": f"s3://{BUCKET}/{row['key']}"}


def _grant(ctx: Context, row: Row, *, write: bool) -> Row:
    grant = ctx.platform.grants.issue(BUCKET, row["key"], write=write, seconds=GRANT_SECONDS)
    return {
        "status": "granted",
        "accessKey": grant.access_key,
        "secretKey": grant.secret_key,
        "sessionToken": grant.session_token,
        "region": "us-east-1",
        "bucket": grant.bucket,
        "key": grant.key,
        "path": grant.path,
        "expiresIn": grant.expires_in,
        "store": str(row["id"]),
    }


def _media(resolvers: Resolvers) -> None:
    @resolvers.mutation("requestMediaUpload")
    def _upload(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        wanted = input.get("fileSize") or 0
        if wanted > MAX_BYTES:
            raise Refuse(f"a media file of {wanted} bytes is too large, {MAX_BYTES} is the most", code="TOO_LARGE")
        row = make(
            ctx,
            db.media,
            key=uuid.uuid4().hex,
            original_file_name=input["originalFileName"],
            content_type=input.get("contentType"),
            finished=False,
            created_at=time.time(),
        )
        return _grant(ctx, row, write=True) | {
            "maxBytes": MAX_BYTES,
            "originalFileName": row["original_file_name"],
            "uploadFileName": row["original_file_name"],
            "uploadContentType": row["content_type"],
            "uploadFormField": "file",
        }

    @resolvers.mutation("finishMediaUpload")
    def _finish(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        row = one(ctx, db.media, input["storeId"], "media file")
        if input.get("valid") is not False and not ctx.platform.storage.exists(BUCKET, row["key"]):
            raise Refuse(f"nothing was uploaded for the media file {row['id']}", code="BAD_INPUT")
        finished = input.get("valid") is not False
        with ctx.platform.db.begin() as connection:
            connection.execute(update(db.media).where(db.media.c.id == row["id"]).values(finished=finished))
        return _store(row)

    @resolvers.mutation("requestMediaAccess")
    def _access(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        return _grant(ctx, one(ctx, db.media, input["storeId"], "media file"), write=False)
