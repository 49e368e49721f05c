"""Views: what is said about a part of an image. Their fields, and the mutations that make and remove them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update

from jupyter_arkitekt.server.db import identity
from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.mikro._access import find, get, mutation, named
from jupyter_arkitekt.server.mikro._files import add_snapshot
from jupyter_arkitekt.server.mikro._records import Record, parent
from jupyter_arkitekt.server.mikro._stores import erase, release
from jupyter_arkitekt.server.mikro._units import plain
from jupyter_arkitekt.server.mikro._view_kinds import KINDS, box
from jupyter_arkitekt.server.mikro._view_store import add_context, add_view, put_in_context

#: Mutation that makes a view of a kind, for kinds that can be made alone.
_CREATE = {
    "createAffineTransformationView": "AFFINE_TRANSFORMATION",
    "createChannelView": "CHANNEL",
    "createContinousScanView": "CONTINOUS_SCAN",
    "createFileView": "FILE",
    "createHistogramView": "HISTOGRAM",
    "createInstanceMaskView": "INSTANCE_MASK_VIEW",
    "createLabelView": "LABEL",
    "createMaskView": "MASK_VIEW",
    "createOpticsView": "OPTICS",
    "createReferenceView": "REFERENCE",
    "createRoiView": "ROI",
    "createTimepointView": "TIMEPOINT",
    "createWellPositionView": "WELL_POSITION",
}
_PARENTS = {
    ("AffineTransformationView", "stage"): ("stage_id", db.stage),
    ("TimepointView", "era"): ("era_id", db.era),
    ("OpticsView", "instrument"): ("instrument_id", db.instrument),
    ("OpticsView", "camera"): ("camera_id", db.camera),
    ("OpticsView", "objective"): ("objective_id", db.objective),
    ("AcquisitionView", "operator"): ("operator_id", identity.users),
    ("WellPositionView", "well"): ("plate_id", db.plate),
    ("DerivedView", "originImage"): ("origin_id", db.image),
    ("ScaleView", "parent"): ("origin_id", db.image),
    ("ROIView", "roi"): ("roi_id", db.roi),
    ("FileView", "file"): ("file_id", db.file),
    ("MaskView", "referenceView"): ("reference_id", db.view),
    ("InstanceMaskView", "referenceView"): ("reference_id", db.view),
    ("MaskView", "labels"): ("labels_id", db.store),
    ("InstanceMaskView", "labels"): ("labels_id", db.store),
}
_PLAIN_COLOURS = {"RED": "rgb(255,0,0)", "GREEN": "rgb(0,255,0)", "BLUE": "rgb(0,0,255)"}


def register(resolvers: Resolvers) -> None:
    """Attach fields and mutations."""
    resolvers.type_of("View", lambda view: KINDS[view["kind"]].typename)
    for kind in KINDS.values():
        _common(resolvers, kind.typename)
    for (typename, name), (column, table) in _PARENTS.items():
        _link(resolvers, typename, name, column, table)
    _affine(resolvers)
    _rgb(resolvers)
    for name, kind_name in _CREATE.items():
        _create(resolvers, name, kind_name)

    @mutation(resolvers, "deleteView")
    async def _delete(_parent: object, ctx: Context, input: dict[str, Any]) -> str:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            view = find(connection, ctx, db.view, "view", input["id"])
            connection.execute(delete(db.view).where(db.view.c.id == view["id"]))
            places = release(connection, [view["labels_id"]])
        await erase(ctx, places)
        return str(view["id"])


def _link(resolvers: Resolvers, typename: str, name: str, column: str, table: Any) -> None:
    @resolvers.field(typename, name)
    def _resolve(view: Record, ctx: Context) -> Record | None:
        return parent(ctx, view, column, table)


def _common(resolvers: Resolvers, typename: str) -> None:
    _link(resolvers, typename, "image", "image_id", db.image)

    @resolvers.field(typename, "isGlobal")
    def _is_global(view: Record, _ctx: Context) -> bool:
        return all(view[name] is None for name in db.BOX)

    @resolvers.field(typename, "accessor")
    def _accessor(view: Record, _ctx: Context) -> list[str]:
        def part(axis: str) -> str:
            low, high = view[f"{axis}_min"], view[f"{axis}_max"]
            return f"{'' if low is None else low}:{'' if high is None else high}"

        return [part(axis) for axis in "ctzxy"]


def _affine(resolvers: Resolvers) -> None:
    """The matrix maps pixels (x, y, z) to micrometres; its diagonal is the pixel size, its last column the position."""
    typename = "AffineTransformationView"

    @resolvers.field(typename, "pixelSize")
    def _pixel_size(view: Record, _ctx: Context) -> list[str]:
        return [f"{plain(view['affineMatrix'][i][i])} µm" for i in range(3)]

    @resolvers.field(typename, "position")
    def _position(view: Record, _ctx: Context) -> list[str]:
        return [f"{plain(view['affineMatrix'][i][3])} µm" for i in range(3)]

    @resolvers.field(typename, "isotropic")
    def _isotropic(view: Record, _ctx: Context) -> bool:
        return len({view["affineMatrix"][i][i] for i in range(3)}) == 1

    for i, axis in enumerate("XYZ"):

        @resolvers.field(typename, f"pixelSize{axis}")
        def _pixel_size_of(view: Record, _ctx: Context, i: int = i) -> str:
            return f"{plain(view['affineMatrix'][i][i])} µm"


def _rgb(resolvers: Resolvers) -> None:
    @resolvers.field("RGBView", "name")
    def _name(view: Record, _ctx: Context, long: bool = False) -> str:
        channels = (
            f"({'' if view['c_min'] is None else view['c_min']}:{'' if view['c_max'] is None else view['c_max']})"
        )
        name = f"{view['colorMap'].lower()} {channels}"
        limits = (view["contrastLimitMin"], view["contrastLimitMax"])
        return f"{name} {limits[0]}–{limits[1]}" if long and None not in limits else name

    @resolvers.field("RGBView", "fullColour")
    def _full_colour(view: Record, _ctx: Context, format: str = "RGB") -> str:  # noqa: A002, ARG001 - the wire's name
        return _PLAIN_COLOURS.get(view["colorMap"], "")

    @mutation(resolvers, "createRgbView")
    def _create_rgb(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            image = find(connection, ctx, db.image, "image", input["image"])
            context = find(connection, ctx, db.rgb_context, "RGB context", input["context"])
            key = add_view(connection, ctx, "RGB", image, input)
            put_in_context(connection, context["id"], [key])
        return get(ctx, db.view, "view", key)

    @mutation(resolvers, "updateRgbView")
    def _update_rgb(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            view = find(connection, ctx, db.view, "RGB view", input["id"])
            if view["kind"] != "RGB":
                raise Refuse(f"the view {input['id']} is no RGB view", code="BAD_INPUT")
            kept = {name: value for name, value in view.items() if name not in db.view.c}
            given = {name: value for name, value in input.items() if value is not None}
            data = KINDS["RGB"].values(kept | given)
            old = {f"{axis}{side}": view[f"{axis}_{side.lower()}"] for axis in "zxytc" for side in ("Min", "Max")}
            connection.execute(update(db.view).where(db.view.c.id == view["id"]).values(data=data, **box(old | given)))
            if "context" in given:
                context = find(connection, ctx, db.rgb_context, "RGB context", given["context"])
                link = db.context_view.c
                there = select(link.view_id).where(link.view_id == view["id"], link.context_id == context["id"])
                if connection.execute(there).first() is None:
                    put_in_context(connection, context["id"], [view["id"]])
        return get(ctx, db.view, "view", view["id"])

    @mutation(resolvers, "createRgbContext")
    def _create_context(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name

        with ctx.platform.db.begin() as connection:
            image = find(connection, ctx, db.image, "image", input["image"])
            context = add_context(connection, ctx, image, input.get("name") or "Default", input)
            views = [add_view(connection, ctx, "RGB", image, view) for view in input.get("views") or ()]
            put_in_context(connection, context, views)
            if input.get("thumbnail") is not None:
                add_snapshot(connection, ctx, image, input["thumbnail"], f"Snapshot of {image['name']}", context)
        return get(ctx, db.rgb_context, "RGB context", context)

    @mutation(resolvers, "updateRgbContext")
    def _update_context(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name

        with ctx.platform.db.begin() as connection:
            context = find(connection, ctx, db.rgb_context, "RGB context", input["id"])
            image = find(connection, ctx, db.image, "image", context["image_id"])
            values: dict[str, Any] = {axis: input[axis] for axis in "ztc" if input.get(axis) is not None}
            if input.get("name") is not None:
                values |= named(input["name"])
            if values:
                connection.execute(update(db.rgb_context).where(db.rgb_context.c.id == context["id"]).values(values))
            if input.get("views") is not None:
                link = db.context_view
                connection.execute(delete(link).where(link.c.context_id == context["id"]))
                views = [add_view(connection, ctx, "RGB", image, view) for view in input["views"]]
                put_in_context(connection, context["id"], views)
            if input.get("thumbnail") is not None:
                add_snapshot(connection, ctx, image, input["thumbnail"], f"Snapshot of {image['name']}", context["id"])
        return get(ctx, db.rgb_context, "RGB context", context["id"])


def _create(resolvers: Resolvers, name: str, kind: str) -> None:
    @mutation(resolvers, name)
    def _resolve(_parent: object, ctx: Context, input: dict[str, Any]) -> Record:  # noqa: A002 - the wire's name
        with ctx.platform.db.begin() as connection:
            image = find(connection, ctx, db.image, "image", input["image"])
            key = add_view(connection, ctx, kind, image, input)
        return get(ctx, db.view, "view", key)
