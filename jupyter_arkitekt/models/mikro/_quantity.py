"""Lengths and durations as the wire writes them: ``"488 nm"``, ``"6.5 µm"``, ``"20 ms"``, or a bare number.

A number and one unit out of a table, no expression: the text comes from outside, and a parser of expressions is more
than it may ask for.
"""

from __future__ import annotations

import math
import re
from typing import Any

#: Micrometres of one unit.
LENGTHS = {
    "pm": 1e-6, "picometer": 1e-6, "å": 1e-4, "angstrom": 1e-4, "nm": 1e-3, "nanometer": 1e-3, "nanometre": 1e-3,
    "µm": 1.0, "um": 1.0, "micron": 1.0, "micrometer": 1.0, "micrometre": 1.0, "mm": 1e3, "millimeter": 1e3,
    "millimetre": 1e3, "cm": 1e4, "centimeter": 1e4, "centimetre": 1e4, "m": 1e6, "meter": 1e6, "metre": 1e6,
}  # fmt: skip

#: Seconds of one unit.
DURATIONS = {
    "ns": 1e-9, "nanosecond": 1e-9, "µs": 1e-6, "us": 1e-6, "microsecond": 1e-6, "ms": 1e-3, "millisecond": 1e-3,
    "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0, "d": 86400.0,
    "day": 86400.0,
}  # fmt: skip

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\W\d_]*)\s*")


def micrometres(value: Any, *, bare: str) -> float | None:
    """Return a length in micrometres, ``None`` when it is none. A bare number counts in the unit `bare`."""
    return _convert(value, LENGTHS, bare)


def seconds(value: Any, *, bare: str) -> float | None:
    """Return a duration in seconds, ``None`` when it is none. A bare number counts in the unit `bare`."""
    return _convert(value, DURATIONS, bare)


def unit_factor(unit: Any, units: dict[str, float]) -> float | None:
    """Return what one `unit` is in the base of `units`, ``None`` when it is not among them."""
    if not isinstance(unit, str):
        return None
    # U+03BC, the Greek letter, is often written for U+00B5, the micro sign.
    name = unit.strip().replace("μ", "µ")
    name = name if name in units else name.lower()
    return units.get(name, units.get(name.removesuffix("s")))


def _convert(value: Any, units: dict[str, float], bare: str) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        number, unit = float(value), bare
    else:
        match = _QUANTITY.fullmatch(value) if isinstance(value, str) and len(value) <= 64 else None
        if match is None:
            return None
        number, unit = float(match[1]), match[2] or bare
    factor = unit_factor(unit, units)
    return number * factor if factor is not None and math.isfinite(number) else None
