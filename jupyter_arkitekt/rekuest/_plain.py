"""Values that JSON carries as they are, and dates and members of enumerations."""

from __future__ import annotations

import enum
import math
import operator
import os
from datetime import date, datetime
from typing import Any

from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.models.rekuest import Port, PortKind
from jupyter_arkitekt.rekuest._markers import broken_rule


def plain(value: Any, port: Port, where: str) -> Any:
    """Check and convert what JSON carries as it is (and dates)."""
    match port.kind:
        case PortKind.BOOL:
            if isinstance(value, bool):
                return value
            named = {"true": True, "false": False, "1": True, "0": False}.get(str(value).strip().lower())
            if named is None or isinstance(value, float):
                raise wrong(value, port, where, "True or False is needed")
            return named
        case PortKind.INT:
            return _whole(value, port, where)
        case PortKind.FLOAT:
            try:
                number = float(value)
            except (TypeError, ValueError, OverflowError):
                raise wrong(value, port, where, "a number is needed") from None
            if not math.isfinite(number):
                raise wrong(value, port, where, "JSON carries finite numbers only")
            return number
        case PortKind.STRING:
            if isinstance(value, enum.Enum):
                value = value.value
            if isinstance(value, os.PathLike):
                value = os.fspath(value)
            if isinstance(value, (str, int, float)):
                return str(value)
            raise wrong(value, port, where, "a text is needed")
        case PortKind.DATE:
            if isinstance(value, datetime):
                return value
            if isinstance(value, date):
                return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
            try:
                return datetime.fromisoformat(value)
            except (TypeError, ValueError):
                raise wrong(value, port, where, "a date is needed, such as 2026-01-31T12:00:00") from None
        case PortKind.ENUM:
            return value
    raise wrong(value, port, where, "this version does not know that kind; update jupyter-arkitekt")


def _whole(value: Any, port: Port, where: str) -> int:
    try:
        if isinstance(value, str):
            return int(value.strip())
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return operator.index(value)
    except (TypeError, ValueError):
        raise wrong(value, port, where, "a whole number is needed") from None


def member_name(value: Any, port: Port, where: str) -> str:
    """Return the name of a member of the port's enumeration."""
    names = [str(choice.value) for choice in port.choices or ()]
    if isinstance(value, enum.Enum):
        # An enum of strings may be written by name or by value.
        name = value.name if value.name in names or not isinstance(value.value, str) else value.value
    else:
        name = str(value)
    if names and name not in names:
        raise wrong(value, port, where, f"one of {', '.join(names)} is needed")
    return name


def check_rules(value: Any, port: Port, where: str) -> None:
    """Raise if `value` breaks a rule of its port."""
    broken = broken_rule(port.validators, value) if port.validators else None
    if broken:
        raise wrong(value, port, where, broken[0].lower() + broken[1:])


def scalar(value: Any) -> Any:
    """Return a numpy scalar or an array without dimensions as the Python number it is."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value


def wrong(value: Any, port: Port, where: str, need: str) -> ArgumentError:
    """Return the error that says which port got what and what it needs."""
    told = repr(value)
    told = told if len(told) <= 80 else f"{told[:77]}..."
    return ArgumentError(f"{where!r} ({port.kind}) got {told} ({type(value).__name__}): {need}.", port=port.key)
