"""Pyramids: which levels an image gets, and how a block of one level becomes a block of the next.

A level halves y and x of the level below it, channels, times and planes stay. A block that does not divide evenly is
reduced from the pixels that are there: the last row of an image with an odd number of rows is the mean of two pixels,
not of two pixels and two zeros. Means of integers round half to even, because rounding up would brighten the picture
by an eighth of a count per level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Method = Literal["mean", "nearest"]

#: A level is wanted as long as its longer side has this many pixels; the smallest level has 256 to 511 of them.
SMALLEST = 256


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a pyramid.

    Attributes
    ----------
    index
        0 is the array itself.
    shape
        Sizes of c, t, z, y, x.
    scale
        Pixels of level 0 that one pixel of this level stands for, by dimension (``{"y": 4, "x": 4}``).
    """

    index: int
    shape: tuple[int, ...]
    scale: dict[str, int]

    @property
    def plane(self) -> tuple[int, int]:
        """Height and width of a plane in pixels."""
        return self.shape[-2], self.shape[-1]


def pyramid_levels(shape: tuple[int, ...], *, smallest: int = SMALLEST) -> list[Level]:
    """Plan the levels of an array, level 0 included.

    Parameters
    ----------
    shape
        Sizes, y and x last.
    smallest
        No level gets a longer side below this many pixels.
    """
    levels = [Level(0, tuple(shape), {"y": 1, "x": 1})]
    while True:
        last = levels[-1]
        height, width = last.plane
        if math.ceil(max(height, width) / 2) < smallest:
            return levels
        factor_y, factor_x = factors((height, width))
        levels.append(
            Level(
                last.index + 1,
                (*last.shape[:-2], math.ceil(height / factor_y), math.ceil(width / factor_x)),
                {"y": last.scale["y"] * factor_y, "x": last.scale["x"] * factor_x},
            )
        )


def factors(plane: tuple[int, int]) -> tuple[int, int]:
    """Return by how much y and x of a plane shrink to the next level: by 2, unless there is one pixel only."""
    return (2 if plane[0] > 1 else 1), (2 if plane[1] > 1 else 1)


def reduce_block(block: NDArray[Any], factor: tuple[int, int], method: Method = "mean") -> NDArray[Any]:
    """Shrink the last two axes of a block.

    Parameters
    ----------
    block
        Any rank from 2 on, y and x last; bool, integers or floats. Not changed.
    factor
        1 or 2 for y and for x.
    method
        ``mean`` of the pixels that are there (bool: the majority, a tie is true; floats: NaN is left out where a
        number is there), or ``nearest`` (the first of them), which invents no new labels.

    Returns
    -------
    array
        Same dtype and rank, sizes divided and rounded up, memory of its own.
    """
    if method == "nearest":
        return np.ascontiguousarray(block[..., :: factor[0], :: factor[1]])
    height, width = block.shape[-2:]
    out = np.empty((*block.shape[:-2], math.ceil(height / factor[0]), math.ceil(width / factor[1])), dtype=block.dtype)
    even_y = height - height % factor[0]
    even_x = width - width % factor[1]
    # The even part in one go, then what is left at the right, at the bottom and in the corner.
    for rows, high in ((slice(0, even_y), factor[0]), (slice(even_y, height), 1)):
        for columns, wide in ((slice(0, even_x), factor[1]), (slice(even_x, width), 1)):
            part = block[..., rows, columns]
            if part.size:
                target = out[..., slice(rows.start // factor[0], None), slice(columns.start // factor[1], None)]
                corners = [part[..., y::high, x::wide] for y in range(high) for x in range(wide)]
                target[..., : corners[0].shape[-2], : corners[0].shape[-1]] = _mean(corners)
    return out


def _mean(corners: list[NDArray[Any]]) -> NDArray[Any]:
    """Mean of 1, 2 or 4 arrays of equal shape and dtype."""
    kind = corners[0].dtype.kind
    if len(corners) == 1:
        return corners[0]
    if kind == "b":
        votes = _sum([corner.astype(np.uint8) for corner in corners])
        majority: NDArray[Any] = votes * 2 >= len(corners)
        return majority
    if kind == "f":
        return _mean_of_floats(corners)
    return _mean_of_integers(corners)


def _sum(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return reduce(np.add, parts)


def _mean_of_integers(corners: list[NDArray[Any]]) -> NDArray[Any]:
    dtype = corners[0].dtype
    count = len(corners)
    shift = count.bit_length() - 1
    if dtype.itemsize == 8:
        # The sum of four 64-bit integers has no type to go to: sum the quarters and the rests apart.
        whole: NDArray[Any] = _sum([corner >> shift for corner in corners])
        rest: NDArray[Any] = _sum([(corner & (count - 1)).astype(np.uint8) for corner in corners])
        quotient = whole + (rest >> shift).astype(dtype)
        rest = rest & (count - 1)
        up = (rest > count // 2) | ((rest == count // 2) & ((quotient & 1) == 1))
        mean: NDArray[Any] = quotient + up.astype(dtype)
        return mean
    wide = np.dtype(f"{dtype.kind}{min(8, dtype.itemsize * 2)}")
    total: NDArray[Any] = np.add(corners[0], corners[1], dtype=wide)
    for corner in corners[2:]:
        total += corner
    # Half to even without a branch: add half less one, and one more where the quotient is odd.
    odd = (total >> shift) & 1
    total += odd
    total += count // 2 - 1
    total >>= shift
    return total.astype(dtype)


def _mean_of_floats(corners: list[NDArray[Any]]) -> NDArray[Any]:
    dtype = corners[0].dtype
    wide = np.dtype(np.float32) if dtype.itemsize == 2 else dtype
    with np.errstate(over="ignore", invalid="ignore"):
        total: NDArray[Any] = np.add(corners[0], corners[1], dtype=wide)
        for corner in corners[2:]:
            total += corner
        total /= len(corners)
        strange = ~np.isfinite(total)
        if strange.any():
            # NaN where a number was beside it, or a sum that was too large: these few pixels again, with care.
            few = np.stack([corner[strange] for corner in corners]).astype(np.float64)
            numbers = ~np.isnan(few)
            counts = numbers.sum(axis=0)
            parts = np.where(numbers, few, 0.0) / np.maximum(counts, 1)
            total[strange] = np.where(counts > 0, parts.sum(axis=0), np.nan).astype(wide)
        return total.astype(dtype, copy=False)
