"""Lengths and durations as the wire writes them: a number and a unit, ``"488 nm"``, ``"6.5 µm"``, ``"20 ms"``.

Older clients send plain numbers, which count in the unit that their field always had. The common units are known here;
for the rest pint is asked, which takes half a second to load. Only one unit name is taken, never an expression: pint
would evaluate powers, and a request must not be able to ask for ``9**9**9``.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*([^\W\d][\w°]{{0,31}})\s*")

_PREFIXES = {
    "": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3,
    "femto": 1e-15, "pico": 1e-12, "nano": 1e-9, "micro": 1e-6, "milli": 1e-3, "centi": 1e-2, "kilo": 1e3,
}  # fmt: skip
_SYMBOLS = {"length": ("m",), "time": ("s",)}
_WORDS = {"length": ("meter", "metre", "meters", "metres"), "time": ("second", "seconds", "sec")}
_OTHERS = {
    "length": {"Å": 1e-10, "angstrom": 1e-10, "micron": 1e-6},
    "time": {
        "min": 60.0,
        "minute": 60.0,
        "minutes": 60.0,
        "h": 3600.0,
        "hour": 3600.0,
        "hours": 3600.0,
        "day": 86400.0,
    },
}


def _known(dimension: str) -> dict[str, float]:
    units = dict(_OTHERS[dimension])
    for prefix, factor in _PREFIXES.items():
        roots = _SYMBOLS[dimension] if len(prefix) < 2 else _WORDS[dimension]
        units.update({prefix + root: factor for root in roots})
    units.update(dict.fromkeys(_WORDS[dimension], 1.0))
    return units


_UNITS = {dimension: _known(dimension) for dimension in ("length", "time")}


@lru_cache(maxsize=256)
def _factor(unit: str, dimension: str) -> float | None:
    """Return how many metres or seconds one `unit` is, ``None`` when it is no unit of `dimension`."""
    known = _UNITS[dimension].get(unit)
    if known is not None:
        return known
    import pint

    try:
        base = pint.application_registry.Quantity(1.0, unit).to("meter" if dimension == "length" else "second")
    except (pint.PintError, AttributeError, ValueError):
        return None
    return float(base.magnitude)


def _parts(value: str, dimension: str) -> tuple[float, str, float]:
    match = _QUANTITY.fullmatch(value) if len(value) <= 64 else None
    if match is None:
        raise ValueError(f"a {dimension} is a number and a unit, such as '488 nm' or '20 ms'; this is {value[:64]!r}")
    magnitude, unit = float(match[1]), match[2]
    factor = _factor(unit, dimension)
    if factor is None:
        raise ValueError(f"{unit!r} is no unit of {dimension}")
    if not math.isfinite(magnitude):
        raise ValueError(f"a {dimension} is a finite number, this is {value[:64]!r}")
    return magnitude, f"{match[1]} {unit}", factor


def plain(value: float) -> str:
    """Write a number without the ``.0`` of a whole one."""
    return f"{value:.15g}"


def parse(value: Any, dimension: str) -> str | float:
    """Check a length or duration from outside.

    Returns
    -------
    str or float
        The quantity as one number, one space, one unit; a plain number stays one, :func:`with_unit` completes it.

    Raises
    ------
    ValueError
        If it is neither a quantity of `dimension` ("length" or "time") nor a number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"a {dimension} is a string with a unit, this is {type(value).__name__}")
    if isinstance(value, str):
        return _parts(value, dimension)[1]
    if not math.isfinite(value):
        raise ValueError(f"a {dimension} is a finite number")
    return float(value)


def with_unit(value: str | float | None, unit: str) -> str | None:
    """Complete a plain number with the `unit` that its field always had."""
    return f"{plain(value)} {unit}" if isinstance(value, int | float) else value


def milliseconds(value: str) -> float:
    """Return a parsed duration in milliseconds."""
    magnitude, _, factor = _parts(value, "time")
    return magnitude * factor * 1000
