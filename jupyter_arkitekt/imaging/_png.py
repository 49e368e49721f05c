"""Pictures to PNG."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray


def enlarge(picture: NDArray[np.uint8], smallest: int) -> tuple[NDArray[np.uint8], int]:
    """Repeat pixels until the longer side has about `smallest` of them, never a blur.

    Parameters
    ----------
    picture
        (y, x, 3) uint8.
    smallest
        Wanted length of the longer side.

    Returns
    -------
    picture, factor
        The picture, and how many pixels one pixel became along each axis.
    """
    factor = max(1, smallest // max(picture.shape[:2]))
    if factor == 1:
        return picture, 1
    return np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1), factor


def shrink(picture: NDArray[np.uint8], largest: int) -> NDArray[np.uint8]:
    """Return the picture with a longer side of at most `largest` pixels, averaged, aspect kept."""
    height, width = picture.shape[:2]
    longest = max(height, width)
    if longest <= largest:
        return picture
    from PIL import Image

    size = (max(1, round(width * largest / longest)), max(1, round(height * largest / longest)))
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize(size, Image.Resampling.BOX)).copy()


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """Encode a (y, x, 3) uint8 picture as PNG. Grey pictures are stored as grey, a third of the bytes."""
    from PIL import Image

    grey = bool((picture[..., 0] == picture[..., 1]).all() and (picture[..., 0] == picture[..., 2]).all())
    image = Image.fromarray(np.ascontiguousarray(picture[..., 0] if grey else picture))
    buffer = io.BytesIO()
    # Noise in few shades costs zlib four times as long at its default level, for a fifth of the bytes.
    image.save(buffer, format="PNG", compress_level=2)
    return buffer.getvalue()
