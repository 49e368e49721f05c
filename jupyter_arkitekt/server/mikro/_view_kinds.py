"""The kinds of views, as data: what each one has besides its box, and how it is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from jupyter_arkitekt.server.db import identity
from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Refuse
from jupyter_arkitekt.server.mikro import _units

#: Dimensions of a box, as the columns are named.
AXES = "zxytc"


@dataclass(frozen=True)
class Link:
    """A field of a view that names another row: its column, the table, and a word for messages."""

    column: str
    table: Table
    what: str
    required: bool = False


Values = dict[str, Any]


def _as_given(*names: str) -> Callable[[Mapping[str, Any]], Values]:
    return lambda given: {name: given.get(name) for name in names}


def _channel(given: Mapping[str, Any]) -> Values:
    waves = {name: _units.with_unit(given.get(name), "nm") for name in ("emissionWavelength", "excitationWavelength")}
    return {"name": given.get("name"), "acquisitionMode": given.get("acquisitionMode"), **waves}


def _timepoint(given: Mapping[str, Any]) -> Values:
    """Keep the time under both of its names: a duration with a unit, and a number of milliseconds."""
    since = given.get("timeSinceStart")
    if since is None:
        since = given.get("msSinceStart")
    since = _units.with_unit(since, "ms")
    return {
        "indexSinceStart": given.get("indexSinceStart"),
        "timeSinceStart": since,
        "msSinceStart": None if since is None else _units.milliseconds(since),
    }


def _acquisition(given: Mapping[str, Any]) -> Values:
    at = given.get("acquiredAt")
    return {"description": given.get("description"), "acquiredAt": None if at is None else at.timestamp()}


def _histogram(given: Mapping[str, Any]) -> Values:
    counts, bins = given["histogram"], given["bins"]
    if len(bins) - len(counts) not in (0, 1):
        raise Refuse(
            f"a histogram has one bin for each count, or one edge more; here are {len(counts)} counts and {len(bins)} bins",
            code="BAD_INPUT",
        )
    return _as_given("histogram", "bins", "min", "max")(given)


def _colour(value: list[float] | None) -> list[int]:
    if value is None:
        return [255, 255, 255, 255]
    if len(value) not in (3, 4) or not all(0 <= each <= 255 for each in value):
        raise Refuse("a colour is three or four numbers from 0 to 255", code="BAD_INPUT")
    return [round(each) for each in [*value, 255][:4]]


def _rgb(given: Mapping[str, Any]) -> Values:
    active = given.get("active")
    return {
        **_as_given("gamma", "contrastLimitMin", "contrastLimitMax")(given),
        "colorMap": given.get("colorMap") or "VIRIDIS",
        "active": True if active is None else active,
        "baseColor": _colour(given.get("baseColor")),
    }


@dataclass(frozen=True)
class ViewKind:
    """One kind of view.

    Attributes
    ----------
    name
        Its name in the wire's ViewKind.
    typename
        Its GraphQL type.
    values
        Makes what is stored of the input's own members.
    links
        Fields that name other rows.
    """

    name: str
    typename: str
    values: Callable[[Mapping[str, Any]], Values] = field(default_factory=_as_given)
    links: Mapping[str, Link] = field(default_factory=dict)


_MASK = {
    "referenceView": Link("reference_id", db.view, "reference view", required=True),
    "labels": Link("labels_id", db.store, "parquet store"),
}

KINDS = {
    kind.name: kind
    for kind in (
        ViewKind(
            "ACQUISITION", "AcquisitionView", _acquisition, {"operator": Link("operator_id", identity.users, "user")}
        ),
        ViewKind(
            "AFFINE_TRANSFORMATION",
            "AffineTransformationView",
            _as_given("affineMatrix"),
            {"stage": Link("stage_id", db.stage, "stage", required=True)},
        ),
        ViewKind("CHANNEL", "ChannelView", _channel),
        ViewKind("CONTINOUS_SCAN", "ContinousScanView", _as_given("direction")),
        ViewKind("DERIVED", "DerivedView", links={"originImage": Link("origin_id", db.image, "image", required=True)}),
        ViewKind(
            "FILE", "FileView", _as_given("seriesIdentifier"), {"file": Link("file_id", db.file, "file", required=True)}
        ),
        ViewKind("HISTOGRAM", "HistogramView", _histogram),
        ViewKind("INSTANCE_MASK_VIEW", "InstanceMaskView", links=_MASK),
        ViewKind("LABEL", "LabelView", _as_given("label")),
        ViewKind("MASK_VIEW", "MaskView", links=_MASK),
        ViewKind(
            "OPTICS",
            "OpticsView",
            links={
                "instrument": Link("instrument_id", db.instrument, "instrument"),
                "camera": Link("camera_id", db.camera, "camera"),
                "objective": Link("objective_id", db.objective, "objective"),
            },
        ),
        ViewKind("RGB", "RGBView", _rgb),
        ViewKind("ROI", "ROIView", links={"roi": Link("roi_id", db.roi, "region of interest", required=True)}),
        ViewKind("REFERENCE", "ReferenceView"),
        ViewKind(
            "SCALE",
            "ScaleView",
            _as_given("scaleX", "scaleY", "scaleZ", "scaleT", "scaleC"),
            {"parent": Link("origin_id", db.image, "image", required=True)},
        ),
        ViewKind("TIMEPOINT", "TimepointView", _timepoint, {"era": Link("era_id", db.era, "era", required=True)}),
        ViewKind(
            "WELL_POSITION",
            "WellPositionView",
            _as_given("row", "column"),
            {"well": Link("plate_id", db.plate, "multi-well plate")},
        ),
    )
}


def box(given: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the columns of the box that `given` names: half-open, and unbounded where it is silent.

    Raises
    ------
    Refuse
        If it ends before it begins.
    """
    columns: dict[str, int | None] = {}
    for axis in AXES:
        low, high = given.get(f"{axis}Min"), given.get(f"{axis}Max")
        if low is not None and high is not None and high < low:
            raise Refuse(f"the view ends before it begins: {axis} from {low} to {high}", code="BAD_INPUT")
        columns[f"{axis}_min"], columns[f"{axis}_max"] = low, high
    return columns
