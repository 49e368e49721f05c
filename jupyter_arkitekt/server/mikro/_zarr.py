"""What an uploaded ``zarr.json`` says, and whether that can be true.

The document was written by someone else into a place where they may write anything, so nothing in it is believed
before it is checked: its size, its depth, the type of every member that is used.
(https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html)
"""

from __future__ import annotations

import json
import math
from typing import Any

#: Bytes and levels of nesting of a document that is read at all.
LARGEST_DOCUMENT = 1 << 20
DEEPEST = 24

#: Dimensions that an array may have.
MOST_DIMENSIONS = 32

#: Largest number of bytes that all readers can address.
_LARGEST_ARRAY = 2**63 - 1

#: Largest whole number that JSON readers agree on, and GraphQL's Int.
_LARGEST_SIZE = 2**31 - 1

#: Bytes of one element, by data type.
ITEM_SIZES = {
    "bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "float16": 2, "int32": 4, "uint32": 4, "float32": 4,
    "int64": 8, "uint64": 8, "float64": 8, "complex64": 8, "complex128": 16,
}  # fmt: skip

#: Dimensions of an image, in order.
IMAGE_DIMS = ["c", "t", "z", "y", "x"]


class InvalidArray(ValueError):  # noqa: N818 - says what the array is
    """A document does not describe an array that can be used; the text says why."""


def read_document(document: bytes) -> dict[str, Any]:
    """Read the facts of an array from its ``zarr.json``.

    Returns
    -------
    dict
        ``shape``, ``chunks``, ``dtype``, ``version``, ``dimensionNames``, ``fillValue``, ``attributes``,
        ``storageTransformers``, ``chunkKeyEncoding`` and ``codecs``, as the wire's ZarrStore has them.

    Raises
    ------
    InvalidArray
        If it is no valid document of a version 3 array of numbers.
    """
    parsed = _parse(document)
    if parsed.get("zarr_format") != 3 or parsed.get("node_type") != "array":
        raise InvalidArray("zarr.json describes no zarr version 3 array")
    shape = _sizes(parsed.get("shape"), "shape")
    dtype = parsed.get("data_type")
    if not isinstance(dtype, str) or dtype not in ITEM_SIZES:
        raise InvalidArray(f"the data type {_shown(dtype)} is none of {', '.join(ITEM_SIZES)}")
    if math.prod(shape) * ITEM_SIZES[dtype] > _LARGEST_ARRAY:
        raise InvalidArray(f"an array of shape {shape} is larger than any storage")
    fill = parsed.get("fill_value")
    return {
        "shape": shape,
        "chunks": _chunks(parsed.get("chunk_grid"), len(shape)),
        "dtype": dtype,
        "version": "3",
        "dimensionNames": _names(parsed.get("dimension_names"), len(shape)),
        "fillValue": 0 if fill is None else fill,
        "attributes": _optional(parsed, "attributes", dict),
        "storageTransformers": _optional(parsed, "storage_transformers", list),
        "chunkKeyEncoding": _optional(parsed, "chunk_key_encoding", dict),
        "codecs": _optional(parsed, "codecs", list),
    }


def check_image(facts: dict[str, Any]) -> None:
    """Check that an array is an image.

    Raises
    ------
    InvalidArray
        If it has other dimensions than c, t, z, y, x, or an empty one.
    """
    shape, names = facts["shape"], facts["dimensionNames"]
    if len(shape) != len(IMAGE_DIMS):
        raise InvalidArray(f"an image has the five dimensions c, t, z, y, x, this array has the shape {shape}")
    if names is not None and names != IMAGE_DIMS:
        raise InvalidArray(f"the dimensions of an image are named {IMAGE_DIMS} in this order, here they are {names}")
    if 0 in shape:
        raise InvalidArray(f"an image has at least one element in each dimension, this array has the shape {shape}")


def _parse(document: bytes) -> dict[str, Any]:
    if len(document) > LARGEST_DOCUMENT:
        raise InvalidArray(f"zarr.json has {len(document)} bytes, more than {LARGEST_DOCUMENT}")
    try:
        # Infinity and NaN are no JSON (RFC 8259, section 6); as text they can be handed on.
        parsed = json.loads(document, parse_constant=str)
    except (ValueError, RecursionError):
        raise InvalidArray("zarr.json is no valid JSON") from None
    if not isinstance(parsed, dict):
        raise InvalidArray("zarr.json is no JSON object")
    _check_depth(parsed)
    return parsed


def _check_depth(parsed: Any) -> None:
    level = [parsed]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise InvalidArray(f"zarr.json nests deeper than {DEEPEST} levels")


def _sizes(value: Any, what: str, least: int = 0) -> list[int]:
    fits = isinstance(value, list) and 1 <= len(value) <= MOST_DIMENSIONS
    if not fits or not all(type(each) is int and least <= each <= _LARGEST_SIZE for each in value):
        raise InvalidArray(f"the {what} {_shown(value)} is no list of up to {MOST_DIMENSIONS} sizes")
    return list(value)


def _chunks(grid: Any, dimensions: int) -> list[int]:
    configuration = grid.get("configuration") if isinstance(grid, dict) and grid.get("name") == "regular" else None
    if not isinstance(configuration, dict):
        raise InvalidArray("the array has no regular chunk grid")
    chunks = _sizes(configuration.get("chunk_shape"), "chunk shape", least=1)
    if len(chunks) != dimensions:
        raise InvalidArray(f"chunks of shape {chunks} do not fit an array of {dimensions} dimensions")
    return chunks


def _names(value: Any, dimensions: int) -> list[str | None] | None:
    if value is None:
        return None
    fits = isinstance(value, list) and len(value) == dimensions
    if not fits or not all(name is None or (isinstance(name, str) and len(name) <= 255) for name in value):
        raise InvalidArray(f"the dimension names {_shown(value)} do not fit an array of {dimensions} dimensions")
    return list(value)


def _optional(parsed: dict[str, Any], name: str, kind: type) -> Any:
    value = parsed.get(name)
    if value is not None and not isinstance(value, kind):
        raise InvalidArray(f"{name} of zarr.json is of the wrong kind")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
