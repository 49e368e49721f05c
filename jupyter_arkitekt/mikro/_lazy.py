"""Pixels that stay in the store until they are computed: what a dask graph holds instead of an array.

The graph carries the place, shape and dtype, nothing that is open. Whoever computes opens the array once per process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jupyter_arkitekt import bridge
from jupyter_arkitekt.errors import ImageError
from jupyter_arkitekt.mikro._access import ArrayPlace
from jupyter_arkitekt.mikro._stored import open_array

if TYPE_CHECKING:
    import dask.array as da
    import zarr

#: Arrays that stay open in a process.
KEEP_OPEN = 64
#: Bytes of one task where chunks are small, so that a graph does not have a task per chunk.
TASK_BYTES = 16 << 20

_opened: OrderedDict[tuple[str, ...], zarr.Array[Any]] = OrderedDict()
_lock = threading.Lock()


class StoredArray:
    """A stored array that is sliced like one in memory.

    Attributes
    ----------
    shape
        Sizes of c, t, z, y, x.
    dtype
        Of the pixels.
    ndim
        5.
    """

    def __init__(self, place: ArrayPlace, path: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.place = place
        self.path = path
        self.shape = shape
        self.dtype = dtype
        self.ndim = len(shape)

    def __repr__(self) -> str:
        return f"<StoredArray {self.place.key}/{self.path} {self.shape} {self.dtype}>"

    def __dask_tokenize__(self) -> tuple[str, ...]:
        return (*self.place.__dask_tokenize__(), self.path)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        array = _open(self.place, self.path)
        if tuple(array.shape) != self.shape or array.dtype != self.dtype:
            raise ImageError(f"The array {self.place.key}/{self.path} changed after it was opened and is not read.")
        return np.asarray(array[index])


def keep_open(place: ArrayPlace, path: str, array: zarr.AsyncArray[Any]) -> None:
    """Remember an array that has just been opened, so that the first task need not open it again."""
    import zarr

    with _lock:
        _opened[(*place.identity, path)] = zarr.Array(array)
        while len(_opened) > KEEP_OPEN:
            _opened.popitem(last=False)


def _open(place: ArrayPlace, path: str) -> zarr.Array[Any]:
    key = (*place.identity, path)
    with _lock:
        found = _opened.get(key)
        if found is not None:
            _opened.move_to_end(key)
            return found
    keep_open(place, path, bridge.sync(open_array(place, path)))
    with _lock:
        return _opened[key]


def lazy(place: ArrayPlace, path: str, array: zarr.AsyncArray[Any]) -> da.Array:
    """Return a dask array of a stored one; each task reads whole shards, or a few chunks along x, y and z.

    Returns
    -------
    dask.array.Array
        Dims c, t, z, y, x, nothing read yet.
    """
    import dask.array as da

    keep_open(place, path, array)
    stored = StoredArray(place, path, tuple(array.shape), array.dtype)
    chunks = task_shape(stored.shape, array.shards or array.chunks, array.dtype.itemsize)
    meta = np.empty((0,) * 5, array.dtype)
    pixels: da.Array = da.from_array(stored, chunks=chunks, asarray=False, fancy=False, meta=meta)  # type: ignore[no-untyped-call]  # dask has no types here
    return pixels


def task_shape(shape: tuple[int, ...], part: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return the shape that one task reads: `part`, multiplied along the last axes up to `TASK_BYTES`."""
    sizes = [min(size, length) for size, length in zip(part, shape, strict=True)]
    bytes_ = itemsize * int(np.prod(sizes, dtype=np.int64))
    for axis in (4, 3, 2):
        times = max(1, min(TASK_BYTES // max(1, bytes_), -(-shape[axis] // part[axis])))
        sizes[axis] = min(shape[axis], part[axis] * times)
        bytes_ *= times
    return tuple(sizes)
