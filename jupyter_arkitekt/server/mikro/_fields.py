"""Fields that lead from one thing to another: from an image to its views, from a view to its stage."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Table, select

from jupyter_arkitekt.server.db import identity
from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Resolvers
from jupyter_arkitekt.server.mikro import _listings as lists
from jupyter_arkitekt.server.mikro._listing import Listing
from jupyter_arkitekt.server.mikro._records import Record, children, parent

_CREATED = ("Image", "Dataset", "ROI", "Snapshot", "File")
_PINNED = {
    "Image": "image",
    "Dataset": "dataset",
    "ROI": "roi",
    "Stage": "stage",
    "RGBContext": "rgb_context",
}
_STORED = ("Image", "File", "Table", "Mesh", "Snapshot")

#: Field of an image that lists its views of one kind.
_VIEWS_OF_IMAGE = {
    "affineTransformationViews": "AFFINE_TRANSFORMATION",
    "labelViews": "LABEL",
    "channelViews": "CHANNEL",
    "timepointViews": "TIMEPOINT",
    "opticsViews": "OPTICS",
    "maskViews": "MASK_VIEW",
    "instanceMaskViews": "INSTANCE_MASK_VIEW",
    "scaleViews": "SCALE",
    "histogramViews": "HISTOGRAM",
    "referenceViews": "REFERENCE",
    "derivedViews": "DERIVED",
    "roiViews": "ROI",
    "fileViews": "FILE",
}
#: Field of an image that lists the views of other images which point to it.
_VIEWS_TO_IMAGE = {"derivedScaleViews": "SCALE", "derivedFromViews": "DERIVED"}

#: Field of a thing that lists the views which name it: (type, field) to (kind, column).
_VIEWS_TO: dict[tuple[str, str], tuple[str, Column[Any]]] = {
    ("Stage", "affineViews"): ("AFFINE_TRANSFORMATION", db.view.c.stage_id),
    ("Era", "views"): ("TIMEPOINT", db.view.c.era_id),
    ("File", "views"): ("FILE", db.view.c.file_id),
    ("Instrument", "views"): ("OPTICS", db.view.c.instrument_id),
    ("Camera", "views"): ("OPTICS", db.view.c.camera_id),
    ("Objective", "views"): ("OPTICS", db.view.c.objective_id),
    ("MultiWellPlate", "views"): ("WELL_POSITION", db.view.c.plate_id),
    ("ViewCollection", "affineTransformationViews"): ("AFFINE_TRANSFORMATION", db.view.c.collection_id),
    ("ViewCollection", "channelViews"): ("CHANNEL", db.view.c.collection_id),
    ("ViewCollection", "labelViews"): ("LABEL", db.view.c.collection_id),
}

#: Field that leads from one row to another: (type, field) to (column, table).
_PARENTS: dict[tuple[str, str], tuple[str, Table]] = {
    ("Image", "dataset"): ("dataset_id", db.dataset),
    ("Dataset", "parent"): ("parent_id", db.dataset),
    ("ROI", "image"): ("image_id", db.image),
    ("RGBContext", "image"): ("image_id", db.image),
}


def register(resolvers: Resolvers) -> None:
    """Attach them."""
    for typename in _CREATED:
        _parent(resolvers, typename, "creator", "creator_id", identity.users)
    for typename in _STORED:
        _parent(resolvers, typename, "store", "store_id", db.store)
    for (typename, name), (column, table) in _PARENTS.items():
        _parent(resolvers, typename, name, column, table)
    for typename, kind in _PINNED.items():
        _pinned(resolvers, typename, kind)
    for name, kind in _VIEWS_OF_IMAGE.items():
        _many(resolvers, "Image", name, lists.VIEWS_OF[kind], db.view.c.image_id)
    for name, kind in _VIEWS_TO_IMAGE.items():
        _many(resolvers, "Image", name, lists.VIEWS_OF[kind], db.view.c.origin_id)
    _many(resolvers, "Image", "snapshots", lists.SNAPSHOTS, db.snapshot.c.image_id)
    _many(resolvers, "Image", "rgbContexts", lists.RGB_CONTEXTS, db.rgb_context.c.image_id)
    _many(resolvers, "Image", "rois", lists.ROIS, db.roi.c.image_id)
    _many(resolvers, "Dataset", "images", lists.IMAGES, db.image.c.dataset_id)
    _many(resolvers, "Dataset", "files", lists.FILES, db.file.c.dataset_id)
    _many(resolvers, "Dataset", "children", lists.DATASETS, db.dataset.c.parent_id)
    for (typename, name), (kind, named) in _VIEWS_TO.items():
        _many(resolvers, typename, name, lists.VIEWS_OF[kind], named)
    _many(resolvers, "ViewCollection", "views", lists.VIEWS, db.view.c.collection_id)
    _many(resolvers, "RGBContext", "snapshots", lists.SNAPSHOTS, db.snapshot.c.context_id)
    for typename, origins in (("File", db.file_origin), ("Table", db.table_origin)):
        _through(
            resolvers,
            typename,
            "origins",
            lists.IMAGES,
            origins,
            origins.c.owner_id,
            origins.c.image_id == db.image.c.id,
        )
    link = db.context_view
    of_view, of_context = link.c.view_id == db.view.c.id, link.c.context_id == db.rgb_context.c.id
    _through(resolvers, "RGBContext", "views", lists.VIEWS_OF["RGB"], link, link.c.context_id, of_view)
    _through(resolvers, "RGBView", "contexts", lists.RGB_CONTEXTS, link, link.c.view_id, of_context)
    seen = db.view.alias("seen")  # the reference view on the image that a mask of another image is about
    masks = lists.VIEWS_OF["INSTANCE_MASK_VIEW"]
    about = seen.c.id == db.view.c.reference_id
    _through(resolvers, "Image", "derivedInstanceMaskViews", masks, seen, seen.c.image_id, about)

    @resolvers.field("Image", "views")
    def _views(
        image: Record, ctx: Context, filters: dict[str, Any] | None = None, types: list[str] | None = None
    ) -> list[Record]:
        given = filters if types is None else {"types": types, "AND": filters or {}}
        return lists.VIEWS.of(ctx, image, db.view.c.image_id, given)

    @resolvers.field("Image", "latestSnapshot")
    def _latest(image: Record, ctx: Context) -> Record | None:
        found = lists.SNAPSHOTS.of(ctx, image, db.snapshot.c.image_id, None, [{"createdAt": "DESC"}])
        return found[0] if found else None

    @resolvers.field("File", "size")
    def _size(file: Record, _ctx: Context) -> int | None:
        size: int | None = file["size"]
        return size

    @resolvers.field("File", "contentType")
    def _content_type(file: Record, ctx: Context) -> str | None:
        store = parent(ctx, file, "store_id", db.store)
        return None if store is None else store["content_type"]

    @resolvers.field("ROI", "name")
    def _roi_name(roi: Record, _ctx: Context) -> str:
        kind: str = roi["kind"]
        return kind

    @resolvers.field("User", "sub")
    def _sub(user: Record, _ctx: Context) -> str:
        return str(user["id"])

    @resolvers.field("User", "preferredUsername")
    def _preferred_username(user: Record, _ctx: Context) -> str:
        name: str = user["username"]
        return name

    @resolvers.field("User", "activeOrganization")
    def _organisation(user: Record, ctx: Context) -> Record | None:
        return parent(ctx, user, "organisation_id", identity.organisations)


def _parent(resolvers: Resolvers, typename: str, name: str, column: str, table: Table) -> None:
    @resolvers.field(typename, name)
    def _resolve(record: Record, ctx: Context) -> Record | None:
        return parent(ctx, record, column, table)


def _many(resolvers: Resolvers, typename: str, name: str, listing: Listing, column: Column[Any]) -> None:
    @resolvers.field(typename, name)
    def _resolve(record: Record, ctx: Context, **arguments: Any) -> list[Record]:
        return listing.of(ctx, record, column, **arguments)


def _through(
    resolvers: Resolvers,
    typename: str,
    name: str,
    listing: Listing,
    through: FromClause,
    column: ColumnElement[Any],
    on: ColumnElement[bool],
) -> None:
    @resolvers.field(typename, name)
    def _resolve(record: Record, ctx: Context, **arguments: Any) -> list[Record]:
        return listing.of(ctx, record, column, **arguments, through=through, on=on)


def _pinned(resolvers: Resolvers, typename: str, kind: str) -> None:
    @resolvers.field(typename, "pinned")
    def _resolve(record: Record, ctx: Context) -> bool:
        mine = select(db.pin).where(db.pin.c.user_id == ctx.caller.user_id, db.pin.c.kind == kind)
        return bool(children(ctx, record, "pinned", mine, db.pin.c.object_id, "object_id"))
