"""Reading the pixels that go up, part by part: from memory, or from a dask array whose chunks are computed once."""

from __future__ import annotations

from collections import OrderedDict
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Region = tuple[slice, ...]

#: Bytes of computed chunks that are kept for the next part, beyond those of the last one.
KEEP_BYTES = 96 << 20


class Source(Protocol):
    """Where pixels come from."""

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Chunk shape, ``None`` when any part costs the same to read."""

    def read(self, region: Region) -> NDArray[Any]:
        """Return a part as a numpy array; blocks, so call it in a thread."""


def source_of(pixels: Any) -> Source:
    """Return how to read `pixels`, a numpy array or a dask array."""
    return DaskSource(pixels) if hasattr(pixels, "dask") else MemorySource(pixels)


class MemorySource:
    """An array in memory, or one that reads itself by slices."""

    chunks: tuple[int, ...] | None = None

    def __init__(self, pixels: Any) -> None:
        self._pixels = pixels

    def read(self, region: Region) -> NDArray[Any]:
        """Return a view of the part."""
        return np.asarray(self._pixels[region])


class DaskSource:
    """A dask array. Chunks that reach beyond a part are kept until it is the turn of their rest."""

    def __init__(self, pixels: Any) -> None:
        self._pixels = pixels
        self._ends = [np.cumsum(sizes) for sizes in pixels.chunks]
        self._kept: OrderedDict[tuple[int, ...], NDArray[Any]] = OrderedDict()

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Length of the longest chunk along each dimension."""
        return tuple(int(max(sizes)) for sizes in self._pixels.chunks)

    def read(self, region: Region) -> NDArray[Any]:
        """Compute what is missing of the part, by dask's own scheduler, and put it together."""
        from dask.base import compute

        bounds = [
            range(
                int(np.searchsorted(ends, part.start, side="right")),
                int(np.searchsorted(ends, part.stop, side="left")) + 1,
            )
            for ends, part in zip(self._ends, region, strict=True)
        ]
        wanted = list(product(*bounds))
        missing = [index for index in wanted if index not in self._kept]
        blocks = compute(*(self._pixels.blocks[index] for index in missing))  # type: ignore[no-untyped-call]  # dask has no types here
        computed = dict(zip(missing, blocks, strict=True))
        out: NDArray[Any] = np.empty([part.stop - part.start for part in region], dtype=self._pixels.dtype)
        for index in wanted:
            block = computed[index] if index in computed else self._kept[index]
            into, of, rest = [], [], False
            for ends, position, part, size in zip(self._ends, index, region, block.shape, strict=True):
                start = int(ends[position]) - size
                low, high = max(part.start, start), min(part.stop, start + size)
                into.append(slice(low - part.start, high - part.start))
                of.append(slice(low - start, high - start))
                rest = rest or high - low < size
            out[tuple(into)] = np.asarray(block)[tuple(of)]
            if rest:
                self._kept[index] = np.asarray(block)
                self._kept.move_to_end(index)
        self._forget(keep=len(wanted))
        return out

    def _forget(self, keep: int) -> None:
        total = sum(block.nbytes for block in self._kept.values())
        # The chunks of this part stay whatever they weigh: its neighbour most likely needs them next.
        while len(self._kept) > keep and total > KEEP_BYTES:
            total -= self._kept.popitem(last=False)[1].nbytes
