"""What labels and keywords say about an image, as views.

Coordinates count only where they can mean one thing: evenly spaced numbers along x, y or z *with a unit of length* are
a pixel size, numbers along t with a unit of time are times, text along c are names of channels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.models.mikro import (
    DURATIONS,
    LENGTHS,
    PartialAffineTransformationViewInput,
    PartialChannelViewInput,
    PartialTimepointViewInput,
    micrometres,
    unit_factor,
)

if TYPE_CHECKING:
    import xarray as xr

#: More time points than this are not written down one by one.
MOST_TIMES = 500
#: Relative deviation of a step from the mean step up to which numbers are evenly spaced.
_EVEN = 1e-3

PixelSize = Mapping[str, float | str] | float | str


def transformation_from(
    labelled: xr.DataArray | None, pixel_size: PixelSize | None, shape: tuple[int, ...]
) -> PartialAffineTransformationViewInput | None:
    """Return where the pixels lie, ``None`` when that is not known.

    Parameters
    ----------
    labelled
        Array whose coordinates may say it.
    pixel_size
        Micrometres, or lengths with a unit, by dimension; one value for x and y. Wins over coordinates.
    shape
        Sizes of c, t, z, y, x.

    Raises
    ------
    ArgumentError
        If `pixel_size` makes no sense, or leaves out the z of a stack.
    """
    origin = {"x": 0.0, "y": 0.0, "z": 0.0}
    if pixel_size is not None:
        steps = _given_steps(pixel_size)
    else:
        steps = {}
        for dim in ("x", "y", "z"):
            found = _steps_of(labelled, dim)
            if found is not None:
                origin[dim], steps[dim] = found
        if "x" not in steps or "y" not in steps:
            return None
    if shape[2] > 1 and "z" not in steps:
        if pixel_size is None:
            return None
        raise ArgumentError(
            f"pixel_size names no z, but the image has {shape[2]} planes. Give their distance in micrometres as well: "
            '`pixel_size={"x": …, "y": …, "z": …}`.'
        )
    sizes = [steps["x"], steps["y"], steps.get("z", 1.0)]
    matrix = [[0.0] * 4 for _ in range(4)]
    for axis, (dim, size) in enumerate(zip(("x", "y", "z"), sizes, strict=True)):
        matrix[axis][axis] = size
        matrix[axis][3] = origin[dim]
    matrix[3][3] = 1.0
    return PartialAffineTransformationViewInput(affine_matrix=matrix)


def _given_steps(pixel_size: PixelSize) -> dict[str, float]:
    given = pixel_size if isinstance(pixel_size, Mapping) else {"x": pixel_size, "y": pixel_size}
    steps = {}
    for dim, value in given.items():
        length = micrometres(value.item() if isinstance(value, np.generic) else value, bare="µm")
        if dim not in ("x", "y", "z") or length is None or not length > 0:
            raise ArgumentError(
                f"pixel_size says {value!r} for {dim!r}. It gives micrometres (or a length such as '65 nm') for x, y "
                'and z: `pixel_size={"x": 0.1, "y": 0.1, "z": 0.3}`.'
            )
        steps[dim] = length
    if "x" not in steps or "y" not in steps:
        raise ArgumentError(f"pixel_size has to name x and y, it names {', '.join(steps) or 'nothing'}.")
    return steps


def _steps_of(labelled: xr.DataArray | None, dim: str) -> tuple[float, float] | None:
    """Return first value and step along `dim` in micrometres, if coordinates say so."""
    values = _numbers_along(labelled, dim, LENGTHS)
    if values is None or values.size < 2:
        return None
    steps = np.diff(values)
    mean = float(steps.mean())
    if not mean > 0 or float(np.abs(steps - mean).max()) > _EVEN * mean:
        return None
    return float(values[0]), float(f"{mean:.9g}")  # the step of 0, 0.1, 0.2, … is 0.1, not 0.09999999999999998


def _numbers_along(labelled: xr.DataArray | None, dim: str, units: dict[str, float]) -> Any:
    if labelled is None or dim not in labelled.coords:
        return None
    coordinate = labelled.coords[dim]
    factor = unit_factor(coordinate.attrs.get("units"), units)
    if factor is None or coordinate.dims != (dim,) or coordinate.dtype.kind not in "iuf":
        return None
    values = coordinate.values.astype(np.float64) * factor
    return values if np.isfinite(values).all() else None


def channels_from(
    labelled: xr.DataArray | None, channels: Sequence[Any] | None, count: int
) -> list[PartialChannelViewInput] | None:
    """Return which channels there are, ``None`` when nothing is known of them.

    Parameters
    ----------
    labelled
        Array whose c coordinate may hold names, and coordinates ``emission_wavelength`` and
        ``excitation_wavelength`` along c lengths.
    channels
        One per channel: a name, or a mapping or `PartialChannelViewInput` with ``name``, ``emission_wavelength``, ….
        Wins over coordinates.
    count
        Number of channels.

    Raises
    ------
    ArgumentError
        If there are not as many as the image has, or one makes no sense.
    """
    if channels is not None:
        if isinstance(channels, str) or len(channels) != count:
            given = 1 if isinstance(channels, str) else len(channels)
            raise ArgumentError(f"channels names {given}, but the image has {count}. Give a list with one per channel.")
        return [_channel(channel, index) for index, channel in enumerate(channels)]
    if labelled is None or "c" not in labelled.dims or "c" not in labelled.coords:
        return None
    names = labelled.coords["c"]
    if names.dtype.kind not in "UOT" or not all(isinstance(name, str) for name in names.values.tolist()):
        return None
    views = [
        PartialChannelViewInput(name=name, c_min=index, c_max=index + 1)
        for index, name in enumerate(names.values.tolist())
    ]
    for field in ("emission_wavelength", "excitation_wavelength"):
        if field not in labelled.coords or labelled.coords[field].dims != ("c",):
            continue
        factor = unit_factor(labelled.coords[field].attrs.get("units"), LENGTHS)
        values = labelled.coords[field].values
        if factor is None or values.dtype.kind not in "iuf":
            continue
        for view, value in zip(views, values.tolist(), strict=True):
            if math.isfinite(value) and value > 0:
                setattr(view, field, f"{value * factor * 1000:.9g} nm")
    return views


def _channel(given: Any, index: int) -> PartialChannelViewInput:
    if isinstance(given, str):
        view = PartialChannelViewInput(name=given)
    elif isinstance(given, PartialChannelViewInput):
        view = given.model_copy()
    elif isinstance(given, Mapping):
        try:
            view = PartialChannelViewInput.model_validate(dict(given))
        except ValueError as error:
            raise ArgumentError(f"Channel {index} makes no sense: {error}") from None
    else:
        raise ArgumentError(f"Channel {index} is {given!r}: give its name, or a mapping with its name and wavelengths.")
    view.c_min, view.c_max = index, index + 1
    return view


def times_from(labelled: xr.DataArray | None, count: int) -> list[PartialTimepointViewInput] | None:
    """Return when each time point was, ``None`` when coordinates do not say, or say it of too many."""
    values = _numbers_along(labelled, "t", DURATIONS)
    if values is None or not 1 < count <= MOST_TIMES:
        return None
    return [
        PartialTimepointViewInput(
            time_since_start=f"{value:.9g} s", index_since_start=index, t_min=index, t_max=index + 1
        )
        for index, value in enumerate(values.tolist())
    ]
