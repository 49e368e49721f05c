"""The tables of mikro: stores, images and what is said about them.

Every row belongs to an organisation, also where a parent says the same: a lookup by id is one condition on one table.
Ids are never used again, so a notebook that still holds the id of a deleted image does not meet another one. ``folded``
columns hold the case-folded name, because ``lower()`` in SQLite knows ASCII only.

A view is one table for all of its kinds: its box, its links to other rows as foreign keys, and what only this kind has
as JSON under the names of the wire. Times are seconds since the epoch, in UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from jupyter_arkitekt.server.db.metadata import metadata

BOX = ("z_min", "z_max", "x_min", "x_max", "y_min", "y_max", "t_min", "t_max", "c_min", "c_max")


def _link(
    name: str, target: str, *, ondelete: str = "CASCADE", nullable: bool = False, index: bool = True
) -> Column[Any]:
    return Column(name, ForeignKey(f"{target}.id", ondelete=ondelete), nullable=nullable, index=index)


def _table(name: str, *columns: Any) -> Table:
    return Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("organisation_id", ForeignKey("organisations.id"), nullable=False, index=True),
        Column("creator_id", ForeignKey("users.id"), nullable=False),
        Column("created_at", Float, nullable=False),
        *columns,
        sqlite_autoincrement=True,
    )


def _named(name: str, *columns: Any) -> Table:
    return _table(name, Column("name", Text, nullable=False), Column("folded", Text, nullable=False), *columns)


store = _table(
    "mikro_store",
    Column("kind", String(16), nullable=False),
    Column("bucket", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("original_file_name", Text),
    Column("content_type", Text),
    Column("data", JSON, nullable=False),
    UniqueConstraint("bucket", "key"),
)

dataset = _named(
    "mikro_dataset",
    Column("description", Text),
    _link("parent_id", "mikro_dataset", ondelete="SET NULL", nullable=True),
    Column("is_default", Boolean, nullable=False),
)
Index(
    "one_default_dataset",
    dataset.c.organisation_id,
    dataset.c.creator_id,
    unique=True,
    sqlite_where=text("is_default"),
)

image = _named(
    "mikro_image",
    Column("description", Text),
    _link("store_id", "mikro_store", ondelete="RESTRICT"),
    _link("dataset_id", "mikro_dataset", ondelete="SET NULL", nullable=True),
    Column("tags", JSON, nullable=False),
)
image_tag = Table(
    "mikro_image_tag",
    metadata,
    Column("image_id", ForeignKey("mikro_image.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", String(255), primary_key=True, index=True),
)

file = _named(
    "mikro_file",
    _link("store_id", "mikro_store", ondelete="RESTRICT"),
    _link("dataset_id", "mikro_dataset", ondelete="SET NULL", nullable=True),
    Column("size", Integer),
)
table = _named(
    "mikro_table",
    _link("store_id", "mikro_store", ondelete="RESTRICT"),
    _link("dataset_id", "mikro_dataset", ondelete="SET NULL", nullable=True),
)
mesh = _named("mikro_mesh", _link("store_id", "mikro_store", ondelete="RESTRICT"))


def _origins(owner: str) -> Table:
    return Table(
        f"mikro_{owner}_origin",
        metadata,
        Column("owner_id", ForeignKey(f"mikro_{owner}.id", ondelete="CASCADE"), primary_key=True),
        Column("image_id", ForeignKey("mikro_image.id", ondelete="CASCADE"), primary_key=True, index=True),
    )


file_origin = _origins("file")
table_origin = _origins("table")

instrument = _named(
    "mikro_instrument",
    Column("serial_number", Text, nullable=False, index=True),
    Column("manufacturer", Text),
    Column("model", Text),
)
camera = _named(
    "mikro_camera",
    Column("serial_number", Text, nullable=False, index=True),
    Column("manufacturer", Text),
    Column("model", Text),
    Column("bit_depth", Integer),
    Column("sensor_size_x", Integer),
    Column("sensor_size_y", Integer),
    Column("pixel_size_x", String(80)),
    Column("pixel_size_y", String(80)),
)
objective = _named(
    "mikro_objective",
    Column("serial_number", Text, nullable=False, index=True),
    Column("na", Float),
    Column("magnification", Float),
    Column("immersion", Text),
)
plate = _named("mikro_plate", Column("description", Text), Column("rows", Integer), Column("columns", Integer))
stage = _named(
    "mikro_stage",
    Column("description", Text),
    _link("instrument_id", "mikro_instrument", ondelete="SET NULL", nullable=True),
)
era = _named("mikro_era", Column("begin", Float))
collection = _named("mikro_view_collection")

roi = _table(
    "mikro_roi",
    _link("image_id", "mikro_image"),
    Column("kind", String(32), nullable=False),
    Column("vectors", JSON, nullable=False),
    # Where it is, so that a region is found without reading its vectors.
    *(Column(f"{side}_{axis}", Float) for axis in "xyzt" for side in ("min", "max")),
)

rgb_context = _named(
    "mikro_rgb_context",
    _link("image_id", "mikro_image"),
    Column("blending", String(32), nullable=False),
    Column("z", Integer, nullable=False),
    Column("t", Integer, nullable=False),
    Column("c", Integer, nullable=False),
)
snapshot = _named(
    "mikro_snapshot",
    _link("image_id", "mikro_image"),
    _link("context_id", "mikro_rgb_context", ondelete="SET NULL", nullable=True),
    _link("store_id", "mikro_store", ondelete="RESTRICT"),
)

_VIEW_LINKS = {
    "collection_id": ("mikro_view_collection", "SET NULL"),
    "stage_id": ("mikro_stage", "RESTRICT"),
    "era_id": ("mikro_era", "RESTRICT"),
    "instrument_id": ("mikro_instrument", "SET NULL"),
    "camera_id": ("mikro_camera", "SET NULL"),
    "objective_id": ("mikro_objective", "SET NULL"),
    "file_id": ("mikro_file", "CASCADE"),
    "roi_id": ("mikro_roi", "CASCADE"),
    "origin_id": ("mikro_image", "CASCADE"),
    "reference_id": ("mikro_view", "CASCADE"),
    "labels_id": ("mikro_store", "SET NULL"),
    "plate_id": ("mikro_plate", "SET NULL"),
}
view = _table(
    "mikro_view",
    _link("image_id", "mikro_image"),
    Column("kind", String(32), nullable=False),
    *(Column(name, Integer) for name in BOX),
    *(
        _link(name, target, ondelete=ondelete, nullable=True, index=False)
        for name, (target, ondelete) in _VIEW_LINKS.items()
    ),
    Column("operator_id", ForeignKey("users.id")),
    Column("data", JSON, nullable=False),
)
# Most links of a view are empty: an index over the filled ones only costs an insert of a view one or two entries, not twelve.
for _name in _VIEW_LINKS:
    _filled = view.c[_name].is_not(None)
    Index(f"ix_mikro_view_{_name}", view.c[_name], sqlite_where=_filled)

context_view = Table(
    "mikro_context_view",
    metadata,
    Column("context_id", ForeignKey("mikro_rgb_context.id", ondelete="CASCADE"), primary_key=True),
    Column("view_id", ForeignKey("mikro_view.id", ondelete="CASCADE"), primary_key=True, index=True),
)

pin = Table(
    "mikro_pin",
    metadata,
    Column("user_id", Integer, primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("object_id", Integer, primary_key=True),
)
