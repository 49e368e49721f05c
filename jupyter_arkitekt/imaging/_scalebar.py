"""Scale bars: a length out of 1, 2, 5 that people read at a glance, drawn into the picture with its label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    """Return the picture with the bar and its label in the lower right corner, white on a dark edge.

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
    from PIL import Image, ImageDraw, ImageFont

    height, width = picture.shape[:2]
    image = Image.fromarray(np.ascontiguousarray(picture))
    draw = ImageDraw.Draw(image, "RGBA")
    text = min(max(11, round(width / 22)), 28)
    thick = max(2, round(text / 4))
    margin = max(4, round(text * 0.55))
    font: Any = ImageFont.load_default(text)
    left_edge, top_edge, right_edge, bottom_edge = draw.textbbox((0, 0), bar.label, font=font)
    label_width, label_height = right_edge - left_edge, bottom_edge - top_edge
    block = max(bar.pixels, label_width)
    if block + 2 * margin > width or label_height + thick + 3 * margin > height:
        return np.asarray(image).copy()
    right = width - 1 - margin
    bottom = height - 1 - margin
    left = right - bar.pixels + 1
    # A plate of half-transparent dark lets the white be read on a bright picture too.
    pad = max(3, margin // 2)
    draw.rounded_rectangle(
        (right - block + 1 - pad, bottom - thick - pad - label_height - pad, right + pad, bottom + pad),
        radius=pad,
        fill=(0, 0, 0, 150),
    )
    draw.rectangle((left, bottom - thick + 1, right, bottom), fill=(255, 255, 255, 255))
    centre = (left + right) / 2
    start = min(max(centre - label_width / 2, right - block + 1), right - label_width + 1)
    draw.text((start - left_edge, bottom - thick - pad - label_height - top_edge), bar.label, font=font, fill="white")
    return np.asarray(image).copy()
