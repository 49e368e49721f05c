"""Short labels as masks, in the font that Pillow carries, so that they look the same on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MICRO = ("µ", "μ")  # micro sign and Greek mu


def label_mask(label: str, size: int) -> NDArray[np.uint8]:
    """Render one line of text.

    Parameters
    ----------
    label
        Text; signs that the font lacks become boxes, except for the micro sign, which is drawn here.
    size
        Height of the font in pixels.

    Returns
    -------
    array
        (y, x) uint8, 255 where there is ink, cut to the ink.
    """
    from PIL import Image, ImageDraw, ImageFont

    font: Any = ImageFont.load_default(size)
    # Pillow's font has no micro sign: it is a "u" whose left stem goes on below the line.
    spelled = "".join("u" if sign in _MICRO else sign for sign in label)
    width, height = round(font.getlength(spelled)) + size, size * 2
    canvas = Image.new("L", (width, height))
    ImageDraw.Draw(canvas).text((size // 2, 0), spelled, font=font, fill=255)
    ink = np.asarray(canvas).copy()
    for position, sign in enumerate(label):
        if sign in _MICRO:
            _grow_stem(ink, size // 2 + font.getlength(spelled[:position]), font.getbbox("u"), size)
    rows, columns = np.flatnonzero(ink.max(axis=1)), np.flatnonzero(ink.max(axis=0))
    if not rows.size:
        return np.zeros((0, 0), dtype=np.uint8)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _grow_stem(ink: NDArray[np.uint8], start: float, box: tuple[float, float, float, float], size: int) -> None:
    """Let the left stem of the "u" that starts at column `start` go on down by a fifth of the font's height."""
    left, top, right, base = round(start + box[0]), round(box[1]), round(start + box[2]), round(box[3])
    profile = ink[(top + base) // 2, left : (left + right) // 2]
    depth = max(2, round(size / 5))
    below = ink[base - 1 : base + depth, left : left + profile.size]
    np.maximum(below, profile, out=below)
