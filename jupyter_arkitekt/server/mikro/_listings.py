"""Every list of mikro: its rows, what it can be filtered and ordered by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, exists, not_, or_, select

from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Resolvers
from jupyter_arkitekt.server.mikro import _filters as f
from jupyter_arkitekt.server.mikro import _lookups
from jupyter_arkitekt.server.mikro._filters import Filter
from jupyter_arkitekt.server.mikro._listing import Listing, by
from jupyter_arkitekt.server.mikro._lookups import Condition
from jupyter_arkitekt.server.mikro._view_kinds import KINDS

image, view = db.image, db.view

INSTRUMENTS = Listing(
    db.instrument,
    "instrument",
    Filter(
        {
            **f.named(db.instrument),
            "manufacturer": f.text(db.instrument.c.manufacturer),
            "model": f.text(db.instrument.c.model),
            "serialNumber": f.text(db.instrument.c.serial_number),
        }
    ),
    by(db.instrument, "name", "id"),
)
CAMERAS = Listing(
    db.camera,
    "camera",
    Filter(
        {
            **f.named(db.camera),
            "manufacturer": f.text(db.camera.c.manufacturer),
            "model": f.text(db.camera.c.model),
            "serialNumber": f.text(db.camera.c.serial_number),
            "bitDepth": f.numeric(db.camera.c.bit_depth),
        }
    ),
)
OBJECTIVES = Listing(
    db.objective,
    "objective",
    Filter(
        {
            **f.named(db.objective),
            "serialNumber": f.text(db.objective.c.serial_number),
            "magnification": f.numeric(db.objective.c.magnification),
            "na": f.numeric(db.objective.c.na),
            "immersion": f.text(db.objective.c.immersion),
        }
    ),
    by(db.objective, "name", "magnification", "id"),
)
PLATES = Listing(
    db.plate,
    "multi-well plate",
    Filter(
        {
            **f.named(db.plate),
            "pinned": f.pinned(db.plate, "plate"),
            "description": f.text(db.plate.c.description),
            "rows": f.numeric(db.plate.c.rows),
            "columns": f.numeric(db.plate.c.columns),
        }
    ),
    by(db.plate, "name", "id"),
)
STAGES = Listing(
    db.stage,
    "stage",
    Filter(
        {
            **f.named(db.stage),
            "pinned": f.pinned(db.stage, "stage"),
            "instrument": f.same(db.stage.c.instrument_id),
        }
    ),
    by(db.stage, "createdAt", "name", "id"),
)
ERAS = Listing(
    db.era,
    "era",
    Filter(
        {
            **f.named(db.era),
            "pinned": f.pinned(db.era, "era"),
            "begin": lambda _ctx, value: db.era.c.begin == value.timestamp(),
        }
    ),
    by(db.era, "createdAt", "begin", "name", "id"),
)
DATASETS = Listing(
    db.dataset,
    "dataset",
    Filter(
        {
            **f.named(db.dataset),
            "pinned": f.pinned(db.dataset, "dataset"),
            "description": f.text(db.dataset.c.description),
            "isDefault": f.equal(db.dataset.c.is_default),
            "parentless": f.empty(db.dataset.c.parent_id),
            "parent": f.same(db.dataset.c.parent_id),
        }
    ),
    by(db.dataset, "createdAt", "name", "id"),
)


def _global(_ctx: Context, value: bool) -> Condition:
    unbounded = and_(*(view.c[name].is_(None) for name in db.BOX))
    return unbounded if value else not_(unbounded)


def _of_image(_ctx: Context, value: str) -> Condition:
    return view.c.image_id.in_(select(image.c.id).where(_lookups.search(image.c.folded, value)))


_ANY_VIEW: dict[str, f.Make] = {"id": f.same(view.c.id), "ids": f.ids(view.c.id), "isGlobal": _global}
_SOME_VIEW = {
    **_ANY_VIEW,
    "image": f.same(view.c.image_id),
    "images": f.ids(view.c.image_id),
    "search": _of_image,
}
_BY_KIND: dict[str, dict[str, f.Make]] = {
    "AFFINE_TRANSFORMATION": {"stage": f.within(view.c.stage_id, db.stage, STAGES.filter)},
    "CONTINOUS_SCAN": {"direction": f.equal(view.c.data["direction"].as_string())},
    "FILE": {
        "seriesIdentifier": f.text(view.c.data["seriesIdentifier"].as_string()),
        "file": f.same(view.c.file_id),
    },
    "INSTANCE_MASK_VIEW": {"referenceView": f.same(view.c.reference_id)},
    "MASK_VIEW": {"referenceView": f.same(view.c.reference_id)},
    "OPTICS": {
        "instrument": f.within(view.c.instrument_id, db.instrument, INSTRUMENTS.filter),
        "objective": f.within(view.c.objective_id, db.objective, OBJECTIVES.filter),
        "camera": f.within(view.c.camera_id, db.camera, CAMERAS.filter),
    },
    "RGB": {
        "colorMap": f.equal(view.c.data["colorMap"].as_string()),
        "active": f.equal(view.c.data["active"].as_boolean()),
        "contexts": lambda ctx, value: view.c.id.in_(
            select(db.context_view.c.view_id).where(f.ids(db.context_view.c.context_id)(ctx, value))
        ),
    },
    "TIMEPOINT": {
        "era": f.within(view.c.era_id, db.era, ERAS.filter),
        "indexSinceStart": f.equal(view.c.data["indexSinceStart"].as_integer()),
        "timeSinceStart": f.equal(view.c.data["msSinceStart"].as_float()),
        "msSinceStart": f.equal(view.c.data["msSinceStart"].as_float()),
    },
    "WELL_POSITION": {
        "well": f.within(view.c.plate_id, db.plate, PLATES.filter),
        "row": f.equal(view.c.data["row"].as_integer()),
        "column": f.equal(view.c.data["column"].as_integer()),
    },
}

#: Views of any kind; ``types`` and ``AND`` are combined by the field that lists them.
VIEWS = Listing(view, "view", Filter({**_ANY_VIEW, "types": lambda _ctx, value: view.c.kind.in_(value)}))

#: Views of one kind, by its name.
VIEWS_OF = {
    name: Listing(
        view,
        kind.typename,
        Filter({**_SOME_VIEW, **_BY_KIND.get(name, {})}),
        by(view, "id"),
        (view.c.kind == name,),
    )
    for name, kind in KINDS.items()
}


def _tagged(_ctx: Context, value: list[str]) -> Condition:
    return image.c.id.in_(select(db.image_tag.c.image_id).where(db.image_tag.c.tag.in_(value)))


def _original(_ctx: Context, value: bool) -> Condition:
    derived = exists().where(view.c.image_id == image.c.id, view.c.kind.in_(("DERIVED", "SCALE")))
    return not_(derived) if value else derived


def _with_rois(_ctx: Context, value: bool) -> Condition:
    some = exists().where(db.roi.c.image_id == image.c.id)
    return some if value else not_(some)


def _from_file(ctx: Context, value: str) -> Condition:
    views = select(view.c.image_id).where(view.c.kind == "FILE", f.same(view.c.file_id)(ctx, value))
    return image.c.id.in_(views)


def _with_view(kind: str) -> f.Make:
    return f.having(image, view.c.image_id, view, VIEWS_OF[kind].filter, view.c.kind == kind)


IMAGES = Listing(
    image,
    "image",
    Filter(
        {
            **f.named(image),
            "pinned": f.pinned(image, "image"),
            "tags": _tagged,
            "description": f.text(image.c.description),
            "dataset": f.within(image.c.dataset_id, db.dataset, DATASETS.filter),
            "datasets": f.ids(image.c.dataset_id),
            "transformationViews": _with_view("AFFINE_TRANSFORMATION"),
            "timepointViews": _with_view("TIMEPOINT"),
            "notDerived": _original,
            "hasRois": _with_rois,
            "file": _from_file,
        }
    ),
    by(image, "createdAt", "name", "id"),
)


def _with_dataset(table: Any, origins: Any) -> dict[str, f.Make]:
    def original(_ctx: Context, value: bool) -> Condition:
        derived = exists().where(origins.c.owner_id == table.c.id)
        return not_(derived) if value else derived

    return {
        "dataset": f.same(table.c.dataset_id),
        "datasets": f.ids(table.c.dataset_id),
        "notDerived": original,
    }


FILES = Listing(
    db.file,
    "file",
    Filter({**f.named(db.file), **_with_dataset(db.file, db.file_origin)}),
    by(db.file, "createdAt", "name", "size", "id"),
)
TABLES = Listing(
    db.table,
    "table",
    Filter({**f.named(db.table), **_with_dataset(db.table, db.table_origin)}),
    by(db.table, "createdAt", "name", "id"),
)
MESHES = Listing(
    db.mesh,
    "mesh",
    Filter({**f.named(db.mesh), "pinned": f.pinned(db.mesh, "mesh")}),
    by(db.mesh, "createdAt", "name", "id"),
)
RGB_CONTEXTS = Listing(
    db.rgb_context,
    "RGB context",
    Filter(
        {
            **f.named(db.rgb_context),
            "pinned": f.pinned(db.rgb_context, "rgb_context"),
            "blending": f.equal(db.rgb_context.c.blending),
            "image": f.same(db.rgb_context.c.image_id),
        }
    ),
    by(db.rgb_context, "name", "id"),
)
SNAPSHOTS = Listing(
    db.snapshot,
    "snapshot",
    Filter(
        {
            **f.named(db.snapshot),
            "image": f.same(db.snapshot.c.image_id),
            "images": f.ids(db.snapshot.c.image_id),
            "context": f.same(db.snapshot.c.context_id),
        }
    ),
    by(db.snapshot, "createdAt", "name", "id"),
)


def _roi_search(_ctx: Context, value: str) -> Condition:
    named = select(image.c.id).where(_lookups.search(image.c.folded, value))
    return or_(db.roi.c.image_id.in_(named), _lookups.text_lookup(db.roi.c.kind, {"iContains": value}))


ROIS = Listing(
    db.roi,
    "region of interest",
    Filter(
        {
            **f.rows(db.roi),
            "pinned": f.pinned(db.roi, "roi"),
            "kind": f.equal(db.roi.c.kind),
            "image": f.same(db.roi.c.image_id),
            "images": f.ids(db.roi.c.image_id),
            "search": _roi_search,
            **{
                f"{side}{axis.upper()}": f.numeric(db.roi.c[f"{side}_{axis}"])
                for side in ("min", "max")
                for axis in "xyzt"
            },
        }
    ),
    by(db.roi, "createdAt", "id"),
)


def register(resolvers: Resolvers) -> None:
    """Attach the root fields of the lists."""
    CAMERAS.register(resolvers, one="camera")
    DATASETS.register(resolvers, one="dataset", many="datasets", mine="mydatasets")
    ERAS.register(resolvers, many="eras", mine="myeras")
    FILES.register(resolvers, one="file", many="files", mine="myfiles")
    IMAGES.register(resolvers, one="image", many="images", mine="myimages")
    INSTRUMENTS.register(resolvers, one="instrument", many="instruments")
    MESHES.register(resolvers, one="mesh", many="meshes")
    OBJECTIVES.register(resolvers, one="objective", many="objectives", mine="myobjectives")
    PLATES.register(resolvers, one="multiWellPlate", many="multiWellPlates")
    RGB_CONTEXTS.register(resolvers, one="rgbcontext", many="rgbcontexts")
    ROIS.register(resolvers, one="roi", many="rois")
    SNAPSHOTS.register(resolvers, one="snapshot", many="snapshots", mine="mysnapshots")
    STAGES.register(resolvers, one="stage", many="stages")
    TABLES.register(resolvers, one="table", many="tables", mine="mytables")
    VIEWS_OF["AFFINE_TRANSFORMATION"].register(resolvers, many="affineTransformationViews")
    VIEWS_OF["RGB"].register(resolvers, one="rgbView", many="rgbViews")
    VIEWS_OF["TIMEPOINT"].register(resolvers, many="timepointViews")
