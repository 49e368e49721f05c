"""Which level of a pyramid to read for a picture of a given size."""

from __future__ import annotations

from collections.abc import Sequence

Plane = tuple[int, int]


def choose_level(planes: Sequence[Plane], size: int) -> int:
    """Return the index of the smallest plane whose longer side has at least `size` pixels.

    Parameters
    ----------
    planes
        Height and width of each level in pixels, in any order.
    size
        Wanted length of the longer side in pixels. If no level is as large, the largest one serves.

    Raises
    ------
    ValueError
        If there are no levels.
    """
    if not planes:
        raise ValueError("There are no levels to choose from.")
    large = [index for index, plane in enumerate(planes) if max(plane) >= size]
    if large:
        return min(large, key=lambda index: (planes[index][0] * planes[index][1], index))
    return max(range(len(planes)), key=lambda index: (planes[index][0] * planes[index][1], -index))


def choose_within(planes: Sequence[Plane], pixels: int) -> int:
    """Return the index of the largest plane of at most `pixels` pixels, the smallest one if none fits.

    Raises
    ------
    ValueError
        If there are no levels.
    """
    if not planes:
        raise ValueError("There are no levels to choose from.")
    areas = [height * width for height, width in planes]
    fitting = [index for index, area in enumerate(areas) if area <= pixels]
    if fitting:
        return max(fitting, key=lambda index: (areas[index], -index))
    return min(range(len(areas)), key=lambda index: areas[index])
