"""How an image is cut: small chunks that a viewer reads one by one, in shards that a store and a network like.

A *unit* is what is read from the source in one go and written, at each level, as one shard per channel. It follows the
chunks of a dask source, so that each of them is computed once: a multiple of small chunks, a divisor of large ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Pixels along y and x of a unit and of a chunk, where the source has no opinion.
UNIT = 2048
CHUNK = 512
#: Bytes that a unit has at most; a few of them are in memory at a time.
UNIT_BYTES = 16 << 20

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How all levels of an image are cut.

    Attributes
    ----------
    unit
        Part that is read at once, (c, t, z, y, x); y and x even, so that halves of units are whole.
    chunk
        Length along y and x of the part that can be read by itself; divides that of the unit.
    """

    unit: Shape
    chunk: tuple[int, int]

    def of_level(self, plane: tuple[int, int]) -> tuple[Shape, Shape]:
        """Return the shape of chunk and shard of a level whose planes are that large; equal when there is no shard."""
        sides = list(zip(plane, self.chunk, self.unit[-2:], strict=True))
        chunk = [min(size, part) for size, part, _ in sides]
        shard = [
            whole if size > whole else math.ceil(size / part) * part
            for (size, _, whole), part in zip(sides, chunk, strict=True)
        ]
        return (1, 1, 1, *chunk), (1, *self.unit[1:3], *shard)


def plan_layout(shape: Shape, itemsize: int, source: Shape | None = None) -> Layout:
    """Choose unit and chunk.

    Parameters
    ----------
    shape
        Sizes of c, t, z, y, x.
    itemsize
        Bytes per pixel.
    source
        Chunk shape of the source, ``None`` when any part of it costs the same to read.
    """
    height, width = (
        _edge(shape[axis], source[axis] if source and source[axis] < shape[axis] else None) for axis in (3, 4)
    )
    room = max(1, UNIT_BYTES // (height * width * itemsize))
    lead = [1, 1, 1]
    for axis in (2, 1, 0):
        step = source[axis] if source else 1
        if axis == 0:  # channels stay apart, unless the source makes them together
            lead[axis] = max(1, min(step, room))
        else:
            lead[axis] = min(shape[axis], room // step * step if step <= room else room)
        room //= lead[axis]
        if room < 1:
            break
    return Layout((*lead, height, width), (_divisor(height, CHUNK), _divisor(width, CHUNK)))


def _edge(size: int, source: int | None) -> int:
    """Return the length of a unit along y or x: even, at most about 2048, in step with the source's chunks."""
    wanted = min(UNIT, size + size % 2)
    if source is None:
        return wanted
    if source <= wanted:
        multiple = wanted // source * source
        if multiple % 2:
            multiple -= source
        return multiple if multiple >= wanted // 2 and multiple % 2 == 0 else wanted
    least = math.ceil(source / wanted)
    fitting = (source // parts for parts in range(least, 2 * least + 1) if source % parts == 0)
    return next((part for part in fitting if part % 2 == 0), wanted)


def _divisor(edge: int, near: int) -> int:
    """Return the divisor of `edge` that is nearest to `near`, out of those from half of it on."""
    if edge <= near:
        return edge
    fitting = [edge // parts for parts in range(1, 2 * edge // near + 1) if edge % parts == 0]
    return min(fitting, key=lambda part: abs(math.log(part / near)))
