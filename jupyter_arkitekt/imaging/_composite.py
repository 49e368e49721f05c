"""From the pixels of a few channels to one RGB picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_arkitekt.imaging._colour import RGB, lookup_table
from jupyter_arkitekt.imaging._contrast import contrast_limits, stretch


@dataclass(frozen=True, slots=True)
class ChannelLook:
    """How one channel is shown.

    Attributes
    ----------
    index
        Position on the c axis.
    colour_map
        Name as on the wire (``GREEN``, ``VIRIDIS``, ``INTENSITY``, …).
    base
        Bright end of ``INTENSITY`` as red, green, blue from 0 to 255.
    low, high
        Stored contrast limits in units of the pixels, ``None``: from the pixels.
    gamma
        Exponent after the stretch.
    """

    index: int
    colour_map: str = "GREY"
    base: RGB | None = None
    low: float | None = None
    high: float | None = None
    gamma: float = 1.0


def composite(planes: Sequence[NDArray[Any]], looks: Sequence[ChannelLook]) -> NDArray[np.uint8]:
    """Add the channels up, each in its colours.

    Parameters
    ----------
    planes
        One (y, x) array per channel, all of one shape; bool, integers or floats.
    looks
        How to show each of them.

    Returns
    -------
    array
        (y, x, 3) uint8; sums are cut off at 255.

    Raises
    ------
    ValueError
        If there are no channels, or not as many looks as planes.
    """
    if not planes or len(planes) != len(looks):
        raise ValueError(f"{len(planes)} channels and {len(looks)} looks do not make a picture.")
    total = np.zeros((*planes[0].shape, 3), dtype=np.uint16)
    for plane, look in zip(planes, looks, strict=True):
        low, high = contrast_limits(plane, low=look.low, high=look.high)
        index = np.rint(stretch(plane, low, high, look.gamma) * 255).astype(np.uint8)
        total += lookup_table(look.colour_map, look.base)[index]
    return np.minimum(total, 255).astype(np.uint8)


def true_colour(planes: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
    """Stack red, green and blue as they are, without a stretch.

    Parameters
    ----------
    planes
        Three (y, x) arrays of uint8.

    Returns
    -------
    array
        (y, x, 3) uint8.
    """
    return np.ascontiguousarray(np.stack(list(planes), axis=-1))


def is_true_colour(dtype: np.dtype[Any], looks: Sequence[ChannelLook]) -> bool:
    """Whether these channels are a colour photograph: three of uint8, seen as red, green, blue, no limits stored."""
    return (
        dtype == np.uint8
        and [look.colour_map for look in looks] == ["RED", "GREEN", "BLUE"]
        and [look.index for look in looks] == [0, 1, 2]
        and all(look.low is None and look.high is None and look.gamma == 1.0 for look in looks)
    )


def middle(size: int) -> int:
    """Return the plane that stands for a stack of `size` planes."""
    return size // 2
