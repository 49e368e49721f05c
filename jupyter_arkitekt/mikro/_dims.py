"""From what a person has to what an image is: five dimensions c, t, z, y, x and a dtype of plain numbers.

Arrays with names for their dimensions are taken at their word. Arrays without get the last of the five names, and are
looked at with suspicion: a colour photograph of shape (512, 512, 3) would otherwise become 512 planes of 512 × 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jupyter_arkitekt.errors import DimsError
from jupyter_arkitekt.models.mikro import DIMS

if TYPE_CHECKING:
    import xarray as xr

_KINDS = {
    "b": (1,),
    "i": (1, 2, 4, 8),
    "u": (1, 2, 4, 8),
    "f": (2, 4, 8),
}


@dataclass(frozen=True, slots=True)
class FiveD:
    """Pixels of an image.

    Attributes
    ----------
    pixels
        numpy or dask array, dims c, t, z, y, x; native byte order. A view of what was given where that was possible.
    labelled
        The labelled array that was given, for its coordinates; ``None`` if it had no labels.
    """

    pixels: Any
    labelled: xr.DataArray | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of c, t, z, y, x."""
        return tuple(int(size) for size in self.pixels.shape)


def five_d(array: Any) -> FiveD:
    """Bring an array to dims c, t, z, y, x without computing or copying it.

    Parameters
    ----------
    array
        xarray.DataArray with dims out of c, t, z, y, x (x and y at least), or a numpy or dask array of 2 to 5
        dimensions, which get the last of these names. Bool, integers or floats.

    Raises
    ------
    DimsError
        If it is no image; says which axis and what to do.
    """
    if hasattr(array, "dims") and hasattr(array, "coords"):
        if hasattr(array, "data_vars"):
            names = ", ".join(repr(str(name)) for name in array.data_vars)
            raise DimsError(f"This is a Dataset of several arrays ({names}), an image is one: pass `dataset[name]`.")
        return _from_labelled(array)
    return _from_bare(array)


def _from_labelled(array: xr.DataArray) -> FiveD:
    dims = [str(dim) for dim in array.dims]
    for dim in dims:
        if dim not in DIMS:
            hint = f" Did you mean {dim.lower()!r}?" if dim.lower() in DIMS else ""
            raise DimsError(
                f"The dimension {dim!r} is none of c, t, z, y, x (this array has {', '.join(dims)}).{hint} "
                f'Name it with `array.rename({{"{dim}": …}})`, or choose one index with `array.isel({{"{dim}": 0}})`.'
            )
    for dim in ("y", "x"):
        if dim not in dims:
            raise DimsError(
                f"The dimension {dim!r} is missing: an image has y and x at least, this array has "
                f"{', '.join(dims) or 'none'}. Rename its axes with `array.rename(…)`."
            )
    pixels = array.transpose(*(dim for dim in DIMS if dim in dims)).data
    index = tuple(slice(None) if dim in dims else None for dim in DIMS)
    return FiveD(_checked(pixels[index]), array)


def _from_bare(array: Any) -> FiveD:
    pixels = array if hasattr(array, "dtype") and hasattr(array, "shape") else np.asarray(array)
    if not hasattr(pixels, "dask"):
        pixels = np.asarray(pixels)
    rank = len(pixels.shape)
    if not 2 <= rank <= 5:
        raise DimsError(
            f"An array of shape {pixels.shape} has {rank} dimensions; an image has 2 to 5 of c, t, z, y, x. "
            "Say which they are: `xarray.DataArray(array, dims=(…))`."
        )
    dims = DIMS[5 - rank :]
    sizes = dict(zip(dims, pixels.shape, strict=True))
    for dim in dims[:-2]:
        for plane in ("y", "x"):
            if sizes[dim] > sizes[plane]:
                raise DimsError(
                    f"Without names, the axes of shape {tuple(pixels.shape)} are taken as {', '.join(dims)}, and then "
                    f"{dim} ({sizes[dim]}) would be longer than {plane} ({sizes[plane]}), which is rarely meant. Say "
                    f'which they are: `xarray.DataArray(array, dims=(…))`, for a colour photograph `("y", "x", "c")`.'
                )
    return FiveD(_checked(pixels[(None,) * (5 - rank)]), None)


def _checked(pixels: Any) -> Any:
    dtype = np.dtype(pixels.dtype)
    if dtype.itemsize not in _KINDS.get(dtype.kind, ()):
        why = {
            "O": " (Python objects; rows of different lengths become that)",
            "c": " (complex numbers; upload `abs(array)` or its real part)",
            "U": " (text)",
            "M": " (dates)",
        }.get(dtype.kind, "")
        raise DimsError(
            f"An image cannot have the dtype {dtype}{why}. It can be bool, int8 to int64, uint8 to uint64, float16, "
            "float32 or float64: convert it with `array.astype(…)`."
        )
    for dim, size in zip(DIMS, pixels.shape, strict=True):
        if not size > 0:  # catches the unknown sizes of dask, which are NaN, as well
            raise DimsError(
                f"The dimension {dim!r} is of length {size}: an image has at least one pixel in each direction, and "
                "its sizes are known (`array.compute_chunk_sizes()` finds those of a dask array)."
            )
    return pixels if dtype.isnative else pixels.astype(dtype.newbyteorder("="))
