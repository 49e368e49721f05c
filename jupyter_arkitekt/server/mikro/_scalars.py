"""The scalars of mikro's wire."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jupyter_arkitekt.server.graphql import Resolvers
from jupyter_arkitekt.server.mikro import _units

#: Scalars that are the id of a store: a client uploads the object and sends the id in its place.
STORES = ("FileLike", "ImageFileLike", "ImageLike", "LabelsLike", "MeshLike", "ParquetLike")


def finite(value: Any) -> int | float:
    """Return `value` if it is a finite number; whole numbers stay whole.

    Raises
    ------
    ValueError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"a finite number is needed, this is {value!r}")
    return value


def _store(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(
            "the id of a finished upload is needed: request an upload, write the data, and send the store's id"
        )
    return str(value)


def _matrix(value: Any) -> list[list[float]]:
    if (
        not isinstance(value, list)
        or len(value) != 4
        or any(not isinstance(row, list) or len(row) != 4 for row in value)
    ):
        raise ValueError("a matrix is four lists of four numbers")
    return [[float(finite(each)) for each in row] for row in value]


def _vector(value: Any) -> list[int | float]:
    if not isinstance(value, list) or not 2 <= len(value) <= 5:
        raise ValueError("a vector is a list of 2 to 5 numbers, the last ones of c, t, z, y, x")
    return [finite(each) for each in value]


def _length(value: Any) -> str | float:
    return _units.parse(value, "length")


def _duration(value: Any) -> str | float:
    return _units.parse(value, "time")


def _milliseconds(value: Any) -> float:
    return float(finite(value))


def _as_is(value: Any) -> Any:
    return value


def register(resolvers: Resolvers) -> None:
    """Attach the scalars."""
    parsers: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(STORES, _store),
        "Duration": _duration,
        "FiveDVector": _vector,
        "FourByFourMatrix": _matrix,
        "Length": _length,
        "Milliseconds": _milliseconds,
    }
    for name, parse in parsers.items():
        resolvers.scalar(name, serialize=_as_is, parse=parse)
    resolvers.scalar("JSON", serialize=_as_is)
