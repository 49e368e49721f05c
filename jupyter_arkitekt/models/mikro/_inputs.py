"""What is said about an image when it is made: one class per kind of view, named as upstream names them.

Fields may be given in snake_case or as the wire spells them; an unknown one is an error, not silence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from jupyter_arkitekt.models._base import WireModel


class ViewInput(WireModel):
    """The box that a view restricts an image to: half-open index ranges, ``None`` where unbounded."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", coerce_numbers_to_str=True
    )

    collection: str | None = None
    z_min: int | None = None
    z_max: int | None = None
    x_min: int | None = None
    x_max: int | None = None
    y_min: int | None = None
    y_max: int | None = None
    t_min: int | None = None
    t_max: int | None = None
    c_min: int | None = None
    c_max: int | None = None


class PartialChannelViewInput(ViewInput):
    """A channel. Wavelengths with a unit (``"488 nm"``), or as a number of nanometres."""

    name: str | None = None
    emission_wavelength: str | float | None = None
    excitation_wavelength: str | float | None = None
    acquisition_mode: str | None = None


class PartialAffineTransformationViewInput(ViewInput):
    """A 4 × 4 matrix from x, y, z in pixels to micrometres."""

    affine_matrix: list[list[float]]
    stage: str | None = None


class PartialAcquisitionViewInput(ViewInput):
    """How and when it was acquired, and the id of who did."""

    description: str | None = None
    acquired_at: datetime | None = None
    operator: str | None = None


class PartialMaskViewInput(ViewInput):
    """The image is a mask of what the reference view shows."""

    reference_view: str | None = None
    labels: str | None = None


class PartialInstanceMaskViewInput(ViewInput):
    """The image numbers the objects in what the reference view shows."""

    reference_view: str | None = None
    labels: str | None = None


class PartialReferenceViewInput(ViewInput):
    """A part of the image that others refer to."""


class PartialRGBViewInput(ViewInput):
    """How channels are shown: colour map, limits in units of the pixels, base colour as red, green, blue, alpha."""

    context: str | None = None
    gamma: float | None = None
    contrast_limit_min: float | None = None
    contrast_limit_max: float | None = None
    rescale: bool | None = None
    scale: float | None = None
    active: bool | None = None
    color_map: str | None = None
    base_color: list[float] | None = None


class PartialTimepointViewInput(ViewInput):
    """When it was: a duration with a unit (``"20 ms"``), or a number of milliseconds, since the start of an era."""

    era: str | None = None
    time_since_start: str | float | None = None
    ms_since_start: float | None = None
    index_since_start: int | None = None


class PartialOpticsViewInput(ViewInput):
    """Ids of what it was seen through."""

    instrument: str | None = None
    objective: str | None = None
    camera: str | None = None


class PartialScaleViewInput(ViewInput):
    """The image is a smaller copy of `parent`."""

    parent: str | None = None
    scale_x: float | None = None
    scale_y: float | None = None
    scale_z: float | None = None
    scale_t: float | None = None
    scale_c: float | None = None


class PartialROIViewInput(ViewInput):
    """The image shows what a region of interest marks."""

    roi: str


class PartialFileViewInput(ViewInput):
    """The file that the image was read from."""

    file: str
    series_identifier: str | None = None


class PartialDerivedViewInput(ViewInput):
    """The image that this one was computed from."""

    origin_image: str


class PartialLightpathViewInput(ViewInput):
    """The light path, as the wire's ``LightpathGraphInput``."""

    graph: dict[str, Any]
