"""From pixels and views to a labelled array: coordinates in µm and s, channels by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jupyter_arkitekt.mikro._channels import channels_of, origin_of, pixel_size_of, times_of
from jupyter_arkitekt.models.mikro import DIMS, ImageFields

if TYPE_CHECKING:
    import xarray as xr


def labelled(image: ImageFields, pixels: Any, scale: tuple[float, float] = (1.0, 1.0)) -> xr.DataArray:
    """Put what is known of an image onto its pixels.

    Parameters
    ----------
    image
        Facts.
    pixels
        numpy or dask array, dims c, t, z, y, x.
    scale
        Pixels of level 0 that one of these stands for, along y and x.

    Returns
    -------
    xarray.DataArray
        Dims c, t, z, y, x. Coordinates x, y and z in µm (centres of pixels, of averaged blocks in smaller levels) if
        the pixel size is known, t in s if the times are, c by name and wavelengths in nm along c if they are known.
    """
    import xarray as xr

    sizes = dict(zip(DIMS, pixels.shape, strict=True))
    coords: dict[str, Any] = {}
    steps = pixel_size_of(image.views)
    if steps is not None:
        origin = origin_of(image.views)
        for dim, factor in (("z", 1.0), ("y", scale[0]), ("x", scale[1])):
            step = steps[dim] * factor
            first = origin[dim] + (step - steps[dim]) / 2  # a block's centre is not that of its first pixel
            coords[dim] = (dim, first + np.arange(sizes[dim]) * step, {"units": "µm"})
    times = times_of(image.views, sizes["t"])
    if times is not None:
        coords["t"] = ("t", np.asarray(times, dtype=np.float64), {"units": "s"})
    channels = channels_of(image.views, sizes["c"])
    if any(channel.name for channel in channels):
        coords["c"] = ("c", np.asarray([channel.name or f"channel {channel.index}" for channel in channels]))
    for field in ("emission", "excitation"):
        values = [getattr(channel, f"{field}_nm") for channel in channels]
        if any(value is not None for value in values):
            coords[f"{field}_wavelength"] = (
                "c",
                np.asarray([np.nan if value is None else value for value in values]),
                {"units": "nm"},
            )
    return xr.DataArray(pixels, dims=DIMS, coords=coords, name=image.name)
