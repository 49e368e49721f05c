"""Views: what is known of a part of an image. Each restricts it to a box, half-open, ``None`` where unbounded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from jupyter_arkitekt.models._base import WireModel
from jupyter_arkitekt.models._selection import Selection
from jupyter_arkitekt.models.mikro._quantity import micrometres, seconds


class Named(WireModel):
    """Something of which id and name are asked for."""

    id: str
    name: str | None = None


class Box(WireModel):
    """Part of an image: half-open index ranges, ``None`` where unbounded."""

    c_min: int | None = None
    c_max: int | None = None
    t_min: int | None = None
    t_max: int | None = None
    z_min: int | None = None
    z_max: int | None = None
    y_min: int | None = None
    y_max: int | None = None
    x_min: int | None = None
    x_max: int | None = None

    def indices(self, dim: str, size: int) -> range:
        """Return which indices of the dimension `dim`, of length `size`, lie inside."""
        low, high = getattr(self, f"{dim}_min"), getattr(self, f"{dim}_max")
        return range(max(0, low or 0), size if high is None else max(0, min(size, high)))


class ChannelView(Box):
    """Which channel this is. Wavelengths are lengths with a unit, bare numbers are nanometres."""

    typename: Literal["ChannelView"] = Field(default="ChannelView", alias="__typename")
    id: str
    name: str | None = None
    emission_wavelength: Any = None
    excitation_wavelength: Any = None
    acquisition_mode: str | None = None

    @property
    def emission_nm(self) -> float | None:
        """Wavelength of emission in nanometres."""
        return _nanometres(self.emission_wavelength)

    @property
    def excitation_nm(self) -> float | None:
        """Wavelength of excitation in nanometres."""
        return _nanometres(self.excitation_wavelength)


class AffineTransformationView(Box):
    """Where the pixels lie: a 4 × 4 matrix from x, y, z in pixels to micrometres of a stage."""

    typename: Literal["AffineTransformationView"] = Field(default="AffineTransformationView", alias="__typename")
    id: str
    affine_matrix: list[list[float]]
    stage: Named | None = None


class TimepointView(Box):
    """When this was, since the start of an era."""

    typename: Literal["TimepointView"] = Field(default="TimepointView", alias="__typename")
    id: str
    era: Named | None = None
    time_since_start: Annotated[Any, Selection(field=("timeSinceStart", "msSinceStart"))] = None
    index_since_start: int | None = None

    @property
    def seconds(self) -> float | None:
        """Seconds since the start; a bare number on the wire counts milliseconds."""
        return seconds(self.time_since_start, bare="ms")


class RGBView(Box):
    """How channels are shown."""

    typename: Literal["RGBView"] = Field(default="RGBView", alias="__typename")
    id: str
    color_map: str = "GREY"
    contrast_limit_min: float | None = None
    contrast_limit_max: float | None = None
    gamma: float | None = None
    active: bool = True
    base_color: list[float] | None = None


class DerivedView(Box):
    """From which image this one was computed."""

    typename: Literal["DerivedView"] = Field(default="DerivedView", alias="__typename")
    id: str
    origin_image: Named
    operation: str | None = None


class AcquisitionView(Box):
    """How and when this was acquired."""

    typename: Literal["AcquisitionView"] = Field(default="AcquisitionView", alias="__typename")
    id: str
    description: str | None = None
    acquired_at: datetime | None = None


class OpticsView(Box):
    """Through what this was seen."""

    typename: Literal["OpticsView"] = Field(default="OpticsView", alias="__typename")
    id: str
    instrument: Named | None = None
    objective: Named | None = None
    camera: Named | None = None


class FileView(Box):
    """From which file this was read."""

    typename: Literal["FileView"] = Field(default="FileView", alias="__typename")
    id: str
    file: Named
    series_identifier: str | None = None


class OtherView(Box):
    """A view of another kind, and one whose values make no sense: its box only."""

    typename: str = Field(default="View", alias="__typename")


View = (
    ChannelView
    | AffineTransformationView
    | TimepointView
    | RGBView
    | DerivedView
    | AcquisitionView
    | OpticsView
    | FileView
    | OtherView
)


def _nanometres(value: Any) -> float | None:
    length = micrometres(value, bare="nm")
    return length * 1000 if length is not None and length > 0 else None
