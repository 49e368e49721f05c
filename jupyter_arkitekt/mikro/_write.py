"""Writing an image and its pyramid in one pass over its pixels.

The units of a plane are visited along a quad-tree: four neighbours, then what is above them. So the shard of every
level is complete as soon as its last unit has been read, and what is in memory is one shard per level, however large
the image is.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from jupyter_arkitekt.imaging import Level, Method, factors, pyramid_levels, reduce_block
from jupyter_arkitekt.mikro._layout import Layout, plan_layout
from jupyter_arkitekt.mikro._shard import ZSTD_LEVEL, encode
from jupyter_arkitekt.mikro._source import Source
from jupyter_arkitekt.models.mikro import DIMS

if TYPE_CHECKING:
    from obstore.store import ObjectStore
    from zarr import AsyncArray

#: Opens the object store of what lies below a path of the upload ("" is the array itself).
OpenStore = Callable[[str], "ObjectStore"]

#: Writes a block that begins there.
Write = Callable[[tuple[int, ...], NDArray[Any]], Coroutine[Any, Any, None]]

#: Shards that are being encoded or sent while the next unit is read.
IN_FLIGHT = max(2, min(4, os.cpu_count() or 2))


async def write_image(
    source: Source, shape: tuple[int, ...], dtype: np.dtype[Any], open_store: OpenStore, *, method: Method = "mean"
) -> list[Level]:
    """Write level 0 and the pyramid, and announce the pyramid in the attributes of level 0.

    Parameters
    ----------
    source
        Pixels, dims c, t, z, y, x.
    shape, dtype
        Of the pixels.
    open_store
        Gives the store rooted at a path; each level has its own, because zarr refuses arrays below arrays.
    method
        How levels are made from each other.

    Returns
    -------
    list
        The levels that were written, level 0 first.
    """
    levels = pyramid_levels(shape)
    layout = plan_layout(shape, dtype.itemsize, source.chunks)
    attributes = {
        "arkitekt": {
            "pyramid": [{"path": f"pyramid/{level.index}", "scale": level.scale} for level in levels[1:]],
            "method": method,
        }
    }
    targets = [_Target(open_store(f"pyramid/{level.index}" if level.index else ""), level, layout) for level in levels]
    await asyncio.gather(*(target.describe(dtype) for target in targets))
    async with _background(IN_FLIGHT) as start:
        walk = _Walk(source, targets, layout, method, start)
        for lead in product(*(range(0, size, step) for size, step in zip(shape[:3], layout.unit[:3], strict=True))):
            await walk.group(lead)
    if len(levels) > 1:
        # Last, so that a pyramid which is announced is there.
        await targets[0].announce(attributes)
    return levels


class _Target:
    """One level on its way to the store."""

    def __init__(self, store: ObjectStore, level: Level, layout: Layout) -> None:
        self.level = level
        self.chunk, self.shard = layout.of_level(level.plane)
        self._store = store
        self._array: AsyncArray[Any] | None = None

    async def describe(self, dtype: np.dtype[Any]) -> None:
        """Write the metadata, by zarr itself."""
        from zarr.api.asynchronous import create_array
        from zarr.codecs import ZstdCodec
        from zarr.storage import ObjectStore as ZarrObjectStore

        self._array = await create_array(
            ZarrObjectStore(self._store),
            shape=self.level.shape,
            dtype=dtype,
            chunks=self.chunk,
            shards=None if self.shard == self.chunk else self.shard,
            compressors=ZstdCodec(level=ZSTD_LEVEL),
            fill_value=0,
            dimension_names=list(DIMS),
            zarr_format=3,
            overwrite=False,
        )

    async def announce(self, attributes: dict[str, Any]) -> None:
        """Write attributes into the metadata, after `describe`."""
        assert self._array is not None
        await self._array.update_attributes(attributes)

    async def write(self, start: tuple[int, ...], block: NDArray[Any]) -> None:
        """Encode and send the shards of a unit; `start` is where it begins, a multiple of the shard."""
        import obstore

        for channel in range(block.shape[0]):
            data = await asyncio.to_thread(encode, block[channel : channel + 1], self.chunk, self.shard)
            if data is not None:
                at = (start[0] + channel, *start[1:])
                key = "/".join(str(position // part) for position, part in zip(at, self.shard, strict=True))
                await obstore.put_async(self._store, f"c/{key}", data)


class _Walk:
    """Visits the units of one image."""

    def __init__(
        self,
        source: Source,
        targets: list[_Target],
        layout: Layout,
        method: Method,
        start: Start,
    ) -> None:
        self._source = source
        self._targets = targets
        self._layout = layout
        self._method = method
        self._start = start

    async def group(self, lead: tuple[int, ...]) -> None:
        """Write all levels of the channels, times and planes of the units that begin at `lead`."""
        height, width = self._layout.unit[-2:]
        top = len(self._targets) - 1
        rows, columns = self._targets[top].level.plane
        for y, x in product(range(0, rows, height), range(0, columns, width)):
            await self._build(top, lead, y, x)

    async def _build(self, level: int, lead: tuple[int, ...], y: int, x: int) -> NDArray[Any]:
        """Make the unit of `level` that begins at row `y`, column `x`; have it written and return it."""
        target = self._targets[level]
        sizes = target.level.shape
        stops = [min(at + step, size) for at, step, size in zip((*lead, y, x), self._layout.unit, sizes, strict=True)]
        if level == 0:
            region = tuple(slice(at, stop) for at, stop in zip((*lead, y, x), stops, strict=True))
            block = await asyncio.to_thread(self._source.read, region)
        else:
            block = await self._from_below(level, lead, (y, x), (stops[-2], stops[-1]))
        await self._start(target.write, (*lead, y, x), block)
        return block

    async def _from_below(
        self, level: int, lead: tuple[int, ...], begin: tuple[int, int], end: tuple[int, int]
    ) -> NDArray[Any]:
        below = self._targets[level - 1].level
        factor = factors(below.plane)
        block: NDArray[Any] | None = None
        first = [at * by for at, by in zip(begin, factor, strict=True)]
        last = [min(at * by, size) for at, by, size in zip(end, factor, below.plane, strict=True)]
        steps = self._layout.unit[-2:]
        for y, x in product(range(first[0], last[0], steps[0]), range(first[1], last[1], steps[1])):
            child = await self._build(level - 1, lead, y, x)
            part = await asyncio.to_thread(reduce_block, child, factor, self._method)
            if block is None:
                block = np.empty((*part.shape[:3], end[0] - begin[0], end[1] - begin[1]), dtype=part.dtype)
            top, left = (y - first[0]) // factor[0], (x - first[1]) // factor[1]
            block[..., top : top + part.shape[-2], left : left + part.shape[-1]] = part
        assert block is not None
        return block


class Start(Protocol):
    """Starts ``write(start, block)`` in the background."""

    async def __call__(self, write: Write, start: tuple[int, ...], block: NDArray[Any]) -> None: ...


@asynccontextmanager
async def _background(most: int) -> AsyncIterator[Start]:
    """Give a function that starts work and waits only while `most` others run; the first failure ends all."""
    room = asyncio.Semaphore(most)

    async def run(write: Write, start: tuple[int, ...], block: NDArray[Any]) -> None:
        try:
            await write(start, block)
        finally:
            room.release()

    async with asyncio.TaskGroup() as tasks:

        async def begin(write: Write, start: tuple[int, ...], block: NDArray[Any]) -> None:
            await room.acquire()
            tasks.create_task(run(write, start, block))

        yield begin
