"""Pictures of images: the smallest level that serves, within a budget of bytes, and remembered.

Where somebody uploaded without a pyramid, the whole plane is read if that is cheap, else its middle; the caption says
so.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jupyter_arkitekt.errors import ImageError
from jupyter_arkitekt.imaging import (
    ChannelLook,
    choose_level,
    composite,
    draw_scale_bar,
    encode_png,
    enlarge,
    is_true_colour,
    middle,
    scale_bar,
    shrink,
    true_colour,
)
from jupyter_arkitekt.mikro._access import ArrayPlace
from jupyter_arkitekt.mikro._channels import MOST_SHOWN, channels_of, looks_of, pixel_size_of
from jupyter_arkitekt.mikro._heavy import load_zarr
from jupyter_arkitekt.mikro._stored import StoredLevel, announced_levels, check_against, open_array, open_level
from jupyter_arkitekt.models.mikro import ImageFields, ScaleView

if TYPE_CHECKING:
    from zarr import AsyncArray

    from jupyter_arkitekt.context import AppLike
    from jupyter_arkitekt.mikro._counted import Meter

#: Length of the longer side of a picture in pixels: a level with at least this many is looked for.
SIZE = 256
#: Bytes of pixels that are decoded for one picture at most.
BUDGET = 32 << 20
#: Pictures that are remembered.
KEEP = 256


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an image, and what it took to make it.

    Attributes
    ----------
    png
        The picture, scale bar included where the pixel size is known.
    width, height
        In pixels.
    level
        Level of the pyramid that was read.
    plane
        Height and width of that level.
    bytes_read
        Bytes that came from the object store.
    z, t
        Which plane and time point it shows.
    looks
        Which channels, and how.
    part
        Whether it shows the middle only.
    bar
        Label of the scale bar, ``None`` when there is none.
    """

    png: bytes
    width: int
    height: int
    level: int
    plane: tuple[int, int]
    bytes_read: int
    z: int
    t: int
    looks: tuple[ChannelLook, ...]
    part: bool = False
    bar: str | None = None


@dataclass(frozen=True, slots=True)
class _Pixels:
    planes: list[NDArray[Any]]
    um_per_pixel: float | None
    level: int
    plane: tuple[int, int]
    z: int
    part: bool


_kept: OrderedDict[tuple[Any, ...], Picture] = OrderedDict()
_making: dict[tuple[Any, ...], asyncio.Task[Picture]] = {}


def remembered(image: ImageFields, size: int = SIZE) -> Picture | None:
    """Return the picture if it has been made before; costs nothing."""
    return _kept.get(_key(image, size))


async def picture_of(image: ImageFields, place: ArrayPlace, app: AppLike, size: int = SIZE) -> Picture:
    """Return the picture of an image: middle plane, first time point, channels in their colours.

    Runs on the background loop; two who ask for the same picture wait for one.

    Raises
    ------
    ImageError
        If there are no pixels that can be read, or none within the budget.
    """
    key = _key(image, size)
    found = _kept.get(key)
    if found is not None:
        _kept.move_to_end(key)
        return found
    task = _making.get(key)
    if task is None:
        task = asyncio.get_running_loop().create_task(_make(image, place, app, size))
        _making[key] = task
        task.add_done_callback(lambda done: _made(key, done))
    picture = await asyncio.shield(task)
    _kept[key] = picture
    while len(_kept) > KEEP:
        _kept.popitem(last=False)
    return picture


def _made(key: tuple[Any, ...], task: asyncio.Task[Picture]) -> None:
    _making.pop(key, None)
    if not task.cancelled():
        task.exception()  # seen, also when whoever waited has gone


def _key(image: ImageFields, size: int) -> tuple[Any, ...]:
    # The pixels of a store never change; how they are shown may.
    pixel_size = pixel_size_of(image.views)
    shown = tuple(looks_of(image.views, channels_of(image.views, MOST_SHOWN)))
    return image.store.bucket, image.store.key, image.store.id, size, shown, pixel_size and pixel_size["x"]


async def _make(image: ImageFields, place: ArrayPlace, app: AppLike, size: int) -> Picture:
    await load_zarr()
    from jupyter_arkitekt.mikro._counted import Meter, counted

    meter = Meter()
    array = await open_array(place, store=counted(place, meter))
    check_against(array, image.store)
    levels = announced_levels(place, array)
    if len(levels) == 1:
        levels += scaled_levels(image.derived_scale_views, levels[0].shape, app)
    channels = channels_of(image.views, levels[0].shape[0])
    looks = looks_of(image.views, channels)
    pixels = await _read(array, levels, looks, size, meter)
    pixel_size = pixel_size_of(image.views)
    um = pixel_size["x"] if pixel_size else None
    return await asyncio.to_thread(_render, pixels, looks, um, size, meter.bytes)


def scaled_levels(views: list[ScaleView], shape: tuple[int, ...], app: AppLike) -> list[StoredLevel]:
    """Return the levels that other images are, according to scale views; those that keep c, t and z only."""
    levels = []
    for view in views:
        store = view.image.store
        factors = (view.scale_y, view.scale_x)
        if not all(math.isfinite(factor) and factor >= 1 for factor in factors):
            continue
        expected = [math.ceil(size / factor) for size, factor in zip(shape[-2:], factors, strict=True)]
        sizes = tuple(store.shape or (*shape[:3], *expected))
        near = all(abs(found - wanted) <= 1 for found, wanted in zip(sizes[-2:], expected, strict=False))
        if len(sizes) == 5 and sizes[:3] == shape[:3] and near:
            levels.append(StoredLevel(ArrayPlace(store, app), "", sizes, factors))
    return sorted(levels, key=lambda level: level.scale)


async def _read(
    root: AsyncArray[Any], levels: list[StoredLevel], looks: list[ChannelLook], size: int, meter: Meter
) -> _Pixels:
    from jupyter_arkitekt.mikro._counted import counted

    chosen = choose_level([level.plane for level in levels], size)
    level = levels[chosen]
    if chosen == 0:
        array = root
    else:
        array = await open_level(level, store=counted(level.place, meter))
    z = middle(level.shape[2])
    rows, columns = _affordable(array, len(looks))
    planes = await asyncio.gather(*(array.getitem((look.index, 0, z, rows, columns)) for look in looks))
    part = (rows.stop - rows.start, columns.stop - columns.start) != level.plane
    return _Pixels([np.asarray(plane) for plane in planes], level.scale[1], chosen, level.plane, z, part)


def _affordable(array: AsyncArray[Any], channels: int) -> tuple[slice, slice]:
    """Return the middle rows and columns whose chunks are within the budget, all of them if possible.

    Raises
    ------
    ImageError
        If a single chunk is not.
    """
    chunk = array.chunks
    cost = math.prod(chunk) * array.dtype.itemsize
    # Chunks that hold several channels are read once for all of them.
    cost *= -(-channels // chunk[0])
    counts = [-(-size // part) for size, part in zip(array.shape[-2:], chunk[-2:], strict=True)]
    while counts[0] * counts[1] * cost > BUDGET:
        axis = 0 if counts[0] * chunk[-2] >= counts[1] * chunk[-1] else 1
        if counts[axis] == 1:
            axis = 1 - axis
        if counts[axis] == 1:
            raise ImageError(
                f"It has no small level, and one plane takes {cost / 1e6:,.0f} MB: too much to read for a preview. "
                "`.data` has the pixels."
            )
        counts[axis] -= 1
    slices = []
    for size, part, count in zip(array.shape[-2:], chunk[-2:], counts, strict=True):
        total = -(-size // part)
        first = (total - count) // 2
        slices.append(slice(first * part, min(size, (first + count) * part)))
    return slices[0], slices[1]


def _render(pixels: _Pixels, looks: list[ChannelLook], um: float | None, size: int, bytes_read: int) -> Picture:
    dtype = pixels.planes[0].dtype
    rgb = true_colour(pixels.planes) if is_true_colour(dtype, looks) else composite(pixels.planes, looks)
    drawn = shrink(rgb, 2 * size)
    per_pixel = (pixels.um_per_pixel or 1.0) * rgb.shape[1] / drawn.shape[1]
    drawn, factor = enlarge(drawn, size // 2)
    bar = scale_bar(drawn.shape[1], um * per_pixel / factor) if um else None
    if bar is not None:
        drawn = draw_scale_bar(drawn, bar)
    return Picture(
        encode_png(drawn), drawn.shape[1], drawn.shape[0], pixels.level, pixels.plane, bytes_read, pixels.z, 0,
        tuple(looks), pixels.part, bar.label if bar is not None else None,
    )  # fmt: skip
