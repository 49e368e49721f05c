"""Stores, grants, datasets and the facts of an image."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from jupyter_arkitekt.models._base import WireModel
from jupyter_arkitekt.models.mikro._views import Named, View

DIMS = ("c", "t", "z", "y", "x")


class ZarrStore(WireModel):
    """Where an array lies, and what the server knows of it; servers that do not tell leave the rest empty."""

    id: str
    key: str
    bucket: str
    path: str | None = None
    shape: list[int] | None = None
    chunks: list[int] | None = None
    dtype: str | None = None


class Grant(WireModel):
    """Credentials of one place in the object store. Its repr shows none of them."""

    access_key: str = Field(repr=False)
    secret_key: str = Field(repr=False)
    session_token: str = Field(default="", repr=False)
    bucket: str
    key: str
    expires_in: int = 3600


class ZarrAccessGrant(Grant):
    """Credentials that read one array."""


class ZarrUploadGrant(Grant):
    """Credentials that write one array, and the id of the store that it becomes."""

    store: str


class DatasetFields(WireModel):
    """Facts of a dataset."""

    id: str
    name: str
    description: str | None = None
    is_default: bool = False
    parent: Named | None = None


class ScaledImage(WireModel):
    """A smaller copy of an image."""

    id: str
    store: ZarrStore


class ScaleView(WireModel):
    """Says that another image is a smaller copy of this one."""

    id: str
    image: ScaledImage
    scale_x: float = 1.0
    scale_y: float = 1.0
    scale_z: float = 1.0
    scale_t: float = 1.0
    scale_c: float = 1.0


class User(WireModel):
    """Who made something."""

    sub: str
    preferred_username: str | None = None


class ImageFields(WireModel):
    """Facts of an image."""

    id: str
    name: str
    store: ZarrStore
    created_at: datetime | None = None
    creator: User | None = None
    dataset: Named | None = None
    tags: list[str] = Field(default_factory=list)
    views: list[Annotated[View, Field(union_mode="left_to_right")]] = Field(default_factory=list)
    derived_scale_views: list[ScaleView] = Field(default_factory=list)
