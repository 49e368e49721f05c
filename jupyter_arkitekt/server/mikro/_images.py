"""Images: made of a finished upload, changed, removed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.mikro._access import find, get, mutation, named, stamp
from jupyter_arkitekt.server.mikro._datasets import default_dataset
from jupyter_arkitekt.server.mikro._events import changed
from jupyter_arkitekt.server.mikro._listings import VIEWS_OF
from jupyter_arkitekt.server.mikro._records import Record, parent, records
from jupyter_arkitekt.server.mikro._stores import erase, finished, release
from jupyter_arkitekt.server.mikro._view_store import add_context, add_view, put_in_context
from jupyter_arkitekt.server.mikro._zarr import IMAGE_DIMS

#: Members of the input that list views, and their kinds; RGB views have rules of their own.
_PARTIAL = {
    "channelViews": "CHANNEL",
    "transformationViews": "AFFINE_TRANSFORMATION",
    "acquisitionViews": "ACQUISITION",
    "maskViews": "MASK_VIEW",
    "referenceViews": "REFERENCE",
    "instanceMaskViews": "INSTANCE_MASK_VIEW",
    "timepointViews": "TIMEPOINT",
    "opticsViews": "OPTICS",
    "scaleViews": "SCALE",
    "roiViews": "ROI",
    "fileViews": "FILE",
    "derivedViews": "DERIVED",
}
_LONGEST_TAG = 255


def register(resolvers: Resolvers) -> None:
    """Attach what concerns images."""

    @resolvers.query("randomImage")
    def _random(_parent: object, ctx: Context) -> Record:
        mine = db.image.c.organisation_id == ctx.caller.organisation_id
        with ctx.platform.db.connect() as connection:
            number = connection.scalar(select(func.count()).select_from(db.image).where(mine)) or 0
            if not number:
                raise Refuse("there is no image in this organisation yet", code="NOT_FOUND")
            offset = random.randrange(number)  # noqa: S311 - a picture to look at, no secret
            chosen = select(db.image).where(mine).order_by(db.image.c.id).offset(offset).limit(1)
            return records(connection.execute(chosen).mappings())[0]

    @resolvers.field("Image", "channels")
    def _channels(image: Record, ctx: Context) -> list[dict[str, Any]]:
        store = parent(ctx, image, "store_id", db.store)
        assert store is not None
        named_views = {
            view["c_min"]: view["name"]
            for view in _views_of_kind(ctx, image, "CHANNEL")
            if view["c_min"] is not None and view.get("name")
        }
        return [{"index": i, "label": named_views.get(i, f"Channel {i}")} for i in range(store["shape"][0])]

    @resolvers.field("ChannelInfo", "label")
    def _label(channel: dict[str, Any], _ctx: Context, with_color_name: bool = False) -> str:  # noqa: ARG001 - no colour has a name here
        label: str = channel["label"]
        return label

    @mutation(resolvers, "fromArrayLike")
    def _from_array_like(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            image = _make(connection, ctx, input)
        changed(ctx, "image", "create", image["id"], image["dataset_id"])
        return get(ctx, db.image, "image", image["id"])

    @mutation(resolvers, "updateImage")
    def _update(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            image = find(connection, ctx, db.image, "image", input["id"])
            values: dict[str, Any] = {}
            if input.get("name") is not None:
                values |= named(input["name"])
            if input.get("tags") is not None:
                values["tags"] = _tags(input["tags"])
                connection.execute(delete(db.image_tag).where(db.image_tag.c.image_id == image["id"]))
                _tag(connection, image["id"], values["tags"])
            if values:
                connection.execute(update(db.image).where(db.image.c.id == image["id"]).values(values))
        changed(ctx, "image", "update", image["id"], image["dataset_id"])
        return get(ctx, db.image, "image", image["id"])

    @mutation(resolvers, "deleteImage")
    async def _delete(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            image = find(connection, ctx, db.image, "image", input["id"])
            if image["creator_id"] != ctx.caller.user_id:
                raise Refuse("an image is deleted by who made it", code="FORBIDDEN")
            stores = [image["store_id"], *_stores_about(connection, image["id"])]
            connection.execute(delete(db.image).where(db.image.c.id == image["id"]))
            places = release(connection, stores)
        changed(ctx, "image", "delete", image["id"], image["dataset_id"])
        await erase(ctx, places)
        return str(image["id"])


def _stores_about(connection: Connection, image: int) -> Sequence[int | None]:
    """Return the stores of what goes with an image: its snapshots, and the labels of its masks."""
    pictures = select(db.snapshot.c.store_id).where(db.snapshot.c.image_id == image)
    labels = select(db.view.c.labels_id).where(db.view.c.image_id == image)
    return connection.scalars(pictures.union(labels)).all()


def _views_of_kind(ctx: Context, image: Record, kind: str) -> list[Record]:
    return VIEWS_OF[kind].of(ctx, image, db.view.c.image_id)


def _make(connection: Connection, ctx: Context, given: dict[str, Any]) -> Record:
    store = finished(connection, ctx, given["array"], "zarr")
    if len(store["shape"]) != len(IMAGE_DIMS) or store.get("dimensionNames") not in (None, IMAGE_DIMS):
        raise Refuse(
            f"an image has the dimensions {', '.join(IMAGE_DIMS)}; the array has the shape {store['shape']} and the "
            f"dimensions {store.get('dimensionNames')}",
            code="BAD_ARRAY",
        )
    if 0 in store["shape"]:
        raise Refuse(f"the array is empty: its shape is {store['shape']}", code="BAD_ARRAY")
    if store["dtype"].startswith("complex"):
        raise Refuse(f"an image has real numbers, the array has {store['dtype']}", code="BAD_ARRAY")
    if given.get("dataset") is not None:
        dataset = find(connection, ctx, db.dataset, "dataset", given["dataset"])["id"]
    else:
        dataset = default_dataset(connection, ctx)
    row = {
        **stamp(ctx),
        **named(given["name"]),
        "store_id": store["id"],
        "dataset_id": dataset,
        "tags": _tags(given.get("tags") or []),
    }
    inserted = connection.execute(insert(db.image).values(row)).inserted_primary_key
    assert inserted is not None
    image = find(connection, ctx, db.image, "image", inserted[0])
    _tag(connection, image["id"], row["tags"])
    for member, kind in _PARTIAL.items():
        for index, view in enumerate(given.get(member) or ()):
            add_view(connection, ctx, kind, image, view, index)
    _rgb_contexts(connection, ctx, image, store["shape"][0], given)
    return image


def _rgb_contexts(connection: Connection, ctx: Context, image: Record, channels: int, given: dict[str, Any]) -> None:
    """Say how the image is shown: as given, else as its origin, else by the number of its channels."""
    if given.get("rgbViews"):
        shared: int | None = None
        for view in given["rgbViews"]:
            if view.get("context") is not None:
                context = find(connection, ctx, db.rgb_context, "RGB context", view["context"])["id"]
            else:
                shared = context = shared or add_context(connection, ctx, image, "Default")
            put_in_context(connection, context, [add_view(connection, ctx, "RGB", image, view)])
    elif not _copied_from_origin(connection, ctx, image, channels, given):
        if channels == 3:
            views = [
                {"colorMap": colour, "cMin": c, "cMax": c + 1} for c, colour in enumerate(("RED", "GREEN", "BLUE"))
            ]
        else:
            views = [
                {"colorMap": "VIRIDIS", "cMin": c, "cMax": c + 1, "active": c == 0} for c in range(min(channels, 256))
            ]
        context = add_context(connection, ctx, image, "RGB" if channels == 3 else "Default")
        put_in_context(connection, context, [add_view(connection, ctx, "RGB", image, view) for view in views])


def _copied_from_origin(
    connection: Connection, ctx: Context, image: Record, channels: int, given: dict[str, Any]
) -> bool:
    """Copy the RGB contexts of the image that this one is derived from, if it has as many channels."""
    if not given.get("derivedViews"):
        return False
    origin = find(connection, ctx, db.image, "image", given["derivedViews"][0]["originImage"])
    if find(connection, ctx, db.store, "zarr store", origin["store_id"])["shape"][0] != channels:
        return False
    contexts = connection.execute(
        select(db.rgb_context).where(db.rgb_context.c.image_id == origin["id"]).order_by(db.rgb_context.c.id)
    ).mappings()
    copies: dict[int, int] = {}
    copied = False
    for context in contexts.all():
        new = add_context(connection, ctx, image, context["name"], dict(context))
        link = db.context_view.c
        views = connection.execute(
            select(db.view).join(db.context_view, link.view_id == db.view.c.id).where(link.context_id == context["id"])
        ).mappings()
        for view in views.all():
            if view["id"] not in copies:
                row = {name: value for name, value in view.items() if name != "id"}
                row |= {**stamp(ctx), "image_id": image["id"]}
                inserted = connection.execute(insert(db.view).values(row)).inserted_primary_key
                assert inserted is not None
                copies[view["id"]] = int(inserted[0])
            put_in_context(connection, new, [copies[view["id"]]])
        copied = True
    return copied


def _tags(tags: list[str]) -> list[str]:
    if any(not tag.strip() or len(tag) > _LONGEST_TAG for tag in tags):
        raise Refuse(f"a tag has 1 to {_LONGEST_TAG} characters", code="BAD_INPUT")
    return list(dict.fromkeys(tags))


def _tag(connection: Connection, image: int, tags: list[str]) -> None:
    if tags:
        connection.execute(insert(db.image_tag), [{"image_id": image, "tag": tag} for tag in tags])
