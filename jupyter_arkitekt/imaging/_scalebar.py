"""Scale bars: a length out of 1, 2, 5 that people read at a glance, drawn into the picture with its label."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jupyter_arkitekt.imaging._label import label_mask

#: Units from large to small: factor to micrometres and symbol.
_UNITS = ((1e6, "m"), (1e3, "mm"), (1.0, "µm"), (1e-3, "nm"), (1e-6, "pm"))
#: The bar takes at most this part of the picture's width.
_SHARE = 0.32
#: Below this width in pixels, bar and label would hide the picture.
_NARROW = 64


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A length that a picture shows.

    Attributes
    ----------
    micrometres
        Physical length.
    pixels
        Its length in pixels of the picture, at least 1.
    label
        Such as ``20 µm``.
    """

    micrometres: float
    pixels: int
    label: str


def scale_bar(width: int, pixel_size: float) -> ScaleBar | None:
    """Choose the bar for a picture.

    Parameters
    ----------
    width
        Width of the picture in pixels.
    pixel_size
        Micrometres per pixel *of the picture* along x.

    Returns
    -------
    bar
        The longest one of 1, 2 or 5 times a power of ten that takes at most about a third of the width; ``None`` when
        the picture is too narrow or the pixel size makes no sense.
    """
    if width < _NARROW or not math.isfinite(pixel_size) or pixel_size <= 0:
        return None
    room = width * _SHARE * pixel_size
    power = math.floor(math.log10(room))
    # One decade more on both sides: log10 of 10**n may lie just below n.
    candidates = [digit * 10.0**exponent for exponent in (power - 1, power, power + 1) for digit in (1, 2, 5)]
    length = max(candidate for candidate in candidates if candidate <= room * (1 + 1e-9))
    return ScaleBar(length, max(1, round(length / pixel_size)), format_length(length))


def format_length(micrometres: float, *, digits: int = 3) -> str:
    """Write a length in the largest unit of which it has at least one: ``20 µm``, ``500 nm``, ``1.5 mm``."""
    for factor, symbol in _UNITS:
        # A little tolerance: 1000 µm computed as 999.9999 is a millimetre.
        if abs(micrometres) >= factor * (1 - 1e-9):
            return f"{micrometres / factor:.{digits}g} {symbol}"
    return f"{micrometres:.{digits}g} µm"


def draw_scale_bar(picture: NDArray[np.uint8], bar: ScaleBar) -> NDArray[np.uint8]:
    """Return the picture with the bar and its label in the lower right corner, white on a dark plate.

    Parameters
    ----------
    picture
        (y, x, 3) uint8. Not changed.
    bar
        From `scale_bar` for a picture of this width.

    Returns
    -------
    array
        (y, x, 3) uint8, memory of its own.
    """
    height, width = picture.shape[:2]
    out = picture.copy()
    size = min(max(12, round(width / 22)), 28)
    thick, margin, pad = max(2, round(size / 5)), max(4, round(size * 0.55)), max(4, round(size * 0.3))
    ink = label_mask(bar.label, size)
    label_height, label_width = ink.shape
    block = max(bar.pixels, label_width)
    if block + 2 * (margin + pad) > width or label_height + thick + 3 * margin > height:
        return out
    right, bottom = width - margin, height - margin  # exclusive
    # A half-dark plate lets the white be read on a bright picture too.
    plate = out[bottom - thick - label_height - 2 * pad : bottom + pad, right - block - pad : right + pad]
    plate //= 3
    left = right - (block + bar.pixels) // 2
    out[bottom - thick : bottom, left : left + bar.pixels] = 255
    top, start = bottom - thick - pad - label_height, right - (block + label_width) // 2
    under = out[top : top + label_height, start : start + label_width]
    share = ink[..., None].astype(np.uint16)
    under[...] = (under * (255 - share) + 255 * share) // 255
    return out
