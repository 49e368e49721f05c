"""From pixels to the bytes of one chunk or shard, as the zarr specification has them.

zarr-python would do the same from its own event loop; done here, a shard is encoded in one go in a worker thread, at
nearly twice the speed, and the write that follows can be cancelled. The metadata is written by zarr-python itself, and
the tests read everything back through it.
(https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html)
"""

from __future__ import annotations

import os
import struct
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product, repeat
from typing import Any

import numpy as np
from google_crc32c import value as crc32c
from numcodecs.zstd import Zstd  # type: ignore[import-untyped]  # it has no types
from numpy.typing import NDArray

#: Level 1 packs noise as small as level 3 does, in half the time.
ZSTD_LEVEL = 1

#: Offset and length of a chunk that is not there: all its pixels are the fill value.
_ABSENT = (2**64 - 1, 2**64 - 1)


def encode(block: NDArray[Any], chunk: tuple[int, ...], shard: tuple[int, ...]) -> bytes | None:
    """Encode one shard.

    Parameters
    ----------
    block
        Pixels; smaller than the shard at the far ends of the array.
    chunk, shard
        Shapes; equal for a chunk without a shard around it.

    Returns
    -------
    bytes
        ``None`` when all pixels are 0, the fill value: nothing is stored then.
    """
    if chunk == shard:
        return _encode_chunk(block, chunk)
    positions = product(*(range(whole // part) for whole, part in zip(shard, chunk, strict=True)))
    pieces = (
        block[tuple(slice(at * part, (at + 1) * part) for at, part in zip(position, chunk, strict=True))]
        for position in positions
    )
    parts: list[bytes] = []
    index: list[int] = []
    offset = 0
    for data in _pool().map(_encode_chunk, pieces, repeat(chunk)):
        if data is None:
            index += _ABSENT
            continue
        index += (offset, len(data))
        offset += len(data)
        parts.append(data)
    if not parts:
        return None
    table = struct.pack(f"<{len(index)}Q", *index)
    return b"".join([*parts, table, struct.pack("<I", crc32c(table))])


@cache
def _pool() -> ThreadPoolExecutor:
    """Return the threads that pack chunks: as many as there are processors, however many shards are on their way."""
    return ThreadPoolExecutor(os.cpu_count() or 2, thread_name_prefix="ThreadPoolExecutor-arkitekt-pack")


def _encode_chunk(piece: NDArray[Any], chunk: tuple[int, ...]) -> bytes | None:
    """Encode one chunk; ``None`` when it is all fill value, or lies beyond the end of the array."""
    return None if _is_fill(piece) else bytes(Zstd(level=ZSTD_LEVEL).encode(_padded(piece, chunk)))


def _is_fill(piece: NDArray[Any]) -> bool:
    """Whether there is nothing but +0 in it; -0 is equal to it, and yet another number."""
    return not piece.any() and not (piece.dtype.kind == "f" and bool(np.signbit(piece).any()))


def _padded(piece: NDArray[Any], chunk: tuple[int, ...]) -> NDArray[Any]:
    little = piece.astype(piece.dtype.newbyteorder("<"), copy=False)
    if piece.shape == chunk:
        return np.ascontiguousarray(little)
    full = np.zeros(chunk, dtype=little.dtype)
    full[tuple(slice(0, size) for size in piece.shape)] = little
    return full
