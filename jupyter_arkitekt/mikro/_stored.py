"""Opening what is stored, and believing none of it before it is checked.

Metadata in an object store was written by whoever uploaded: it may name a shape that the server does not know, chunks
that would fill the memory, codecs that run code, or a pyramid that lies somewhere else.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jupyter_arkitekt.errors import ImageError
from jupyter_arkitekt.mikro._access import ArrayPlace
from jupyter_arkitekt.mikro._heavy import load_zarr
from jupyter_arkitekt.models.mikro import ZarrStore

if TYPE_CHECKING:
    from zarr import AsyncArray
    from zarr.abc.store import Store

#: Bytes of the largest chunk that is read, and how many chunks an array may have.
LARGEST_CHUNK = 1 << 30
MOST_CHUNKS = 1 << 24
#: Levels that an announced pyramid may have.
MOST_LEVELS = 32

_CODECS = frozenset({"bytes", "transpose", "sharding_indexed", "zstd", "gzip", "blosc", "crc32c", "numcodecs.zstd"})
_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}(/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}){0,7}")


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """One level of an image, on its own array.

    Attributes
    ----------
    place
        The array that it lies in or below.
    path
        Where below, "" for the array itself.
    shape
        Sizes of c, t, z, y, x.
    scale
        Pixels of level 0 that one pixel stands for, along y and x.
    """

    place: ArrayPlace
    path: str
    shape: tuple[int, ...]
    scale: tuple[float, float]

    @property
    def plane(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.shape[-2], self.shape[-1]


async def open_array(place: ArrayPlace, path: str = "", *, store: Store | None = None) -> AsyncArray[Any]:
    """Open a stored array for reading and check that it can be read safely.

    Parameters
    ----------
    place, path
        Where it lies.
    store
        Zarr store of `place`, to read through it; one is made when left out.

    Raises
    ------
    ImageError
        If there is none, or it is not what an image may be.
    """
    await load_zarr()
    from obstore.exceptions import BaseError
    from zarr.api.asynchronous import open_array as zarr_open
    from zarr.errors import BaseZarrError

    from jupyter_arkitekt.mikro._counted import counted

    where = f"{place.bucket}/{place.key}{'/' if path else ''}{path}"
    if store is None:
        store = counted(place)
    try:
        array = await zarr_open(store=store, path=path, mode="r", zarr_format=3)
    except FileNotFoundError as error:
        raise ImageError(f"There is no zarr version 3 array at {where}. Were its objects deleted?") from error
    except (BaseError, OSError) as error:
        raise ImageError(f"The array at {where} could not be read from {place.endpoint}: {error}") from error
    except (BaseZarrError, ValueError, TypeError, KeyError) as error:
        raise ImageError(f"The metadata at {where} describes no array that can be read: {error}") from error
    _check(array, where)
    return array


def _check(array: AsyncArray[Any], where: str) -> None:
    dtype: Any = array.dtype  # zarr knows dtypes that numpy does not
    if not isinstance(dtype, np.dtype) or dtype.kind not in "biuf":
        raise ImageError(f"The array at {where} has the dtype {dtype}, an image has bool, integers or floats.")
    if len(array.shape) != 5 or not all(size > 0 for size in array.shape):
        raise ImageError(f"The array at {where} has the shape {array.shape}, an image has c, t, z, y, x.")
    for part in (array.chunks, array.shards or array.chunks):
        if math.prod(part) * dtype.itemsize > LARGEST_CHUNK:
            raise ImageError(f"The array at {where} has chunks of shape {part}, too large to be read one by one.")
    if math.prod(-(-size // part) for size, part in zip(array.shape, array.chunks, strict=True)) > MOST_CHUNKS:
        raise ImageError(f"The array at {where} of shape {array.shape} is cut into too many chunks of {array.chunks}.")
    unknown = _codec_names(array.metadata.to_dict().get("codecs")) - _CODECS
    if unknown:
        raise ImageError(f"The array at {where} is encoded by {', '.join(sorted(unknown))}, which is not read here.")


def _codec_names(codecs: Any) -> set[str]:
    names = set()
    for codec in codecs if isinstance(codecs, list | tuple) else ():
        described = codec if isinstance(codec, dict) else codec.to_dict()
        names.add(str(described.get("name")))
        configuration = described.get("configuration")
        if isinstance(configuration, dict):
            names |= _codec_names(configuration.get("codecs")) | _codec_names(configuration.get("index_codecs"))
    return names


def check_against(array: AsyncArray[Any], store: ZarrStore) -> None:
    """Check an opened array against what the server knows of it.

    Raises
    ------
    ImageError
        If they differ: somebody changed the array after the server had looked at it.
    """
    if store.shape and tuple(store.shape) != tuple(array.shape):
        raise ImageError(
            f"The server knows store {store.id} with the shape {tuple(store.shape)}, but its metadata says "
            f"{tuple(array.shape)}. It was changed after the upload and is not read."
        )
    if store.dtype and array.dtype != _dtype(store.dtype):
        raise ImageError(
            f"The server knows store {store.id} with the dtype {store.dtype}, but its metadata says {array.dtype}. "
            "It was changed after the upload and is not read."
        )


def _dtype(name: str) -> np.dtype[Any] | None:
    try:
        return np.dtype(name)
    except TypeError:
        return None


def announced_levels(place: ArrayPlace, array: AsyncArray[Any]) -> list[StoredLevel]:
    """Return the levels that an array's attributes announce, itself first; what makes no sense is left out."""
    shape = tuple(array.shape)
    levels = [StoredLevel(place, "", shape, (1.0, 1.0))]
    ours = array.attrs.get("arkitekt")
    entries = ours.get("pyramid") if isinstance(ours, dict) else None
    for entry in entries[:MOST_LEVELS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("scale"), dict):
            continue
        path, scale = entry.get("path"), entry["scale"]
        if not isinstance(path, str) or not _PATH.fullmatch(path):
            continue
        factors = [scale.get(dim, 1) for dim in ("y", "x")]
        if all(type(factor) in (int, float) and 1 <= factor < 2**31 for factor in factors):
            plane = tuple(math.ceil(size / factor) for size, factor in zip(shape[-2:], factors, strict=True))
            levels.append(StoredLevel(place, path, (*shape[:3], *plane), (float(factors[0]), float(factors[1]))))
    return levels


async def open_level(level: StoredLevel, *, store: Store | None = None) -> AsyncArray[Any]:
    """Open one level and check that it is as large as it was announced.

    Raises
    ------
    ImageError
        If it is not.
    """
    array = await open_array(level.place, level.path, store=store)
    if tuple(array.shape) != level.shape:
        raise ImageError(
            f"The level {level.path or 0!r} of {level.place.key} has the shape {tuple(array.shape)} where "
            f"{level.shape} was announced."
        )
    return array
