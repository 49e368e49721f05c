"""Quantities: a number with a unit, which travels as text: ``"5 ms"``."""

from __future__ import annotations

from typing import Any

from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.models.rekuest import Port


def pack(value: Any, port: Port, where: str) -> str:
    """Return `value` (a text or a pint quantity) as text, after a look at its dimension."""
    quantity = _read(value, port, where)
    return value.strip() if isinstance(value, str) else f"{quantity.magnitude} {quantity.units}"


def unpack(value: Any, port: Port, where: str) -> Any:
    """Return a pint quantity of the application's registry."""
    return _read(value, port, where)


def _read(value: Any, port: Port, where: str) -> Any:
    import pint  # some 0.2 s, and only few actions have quantities

    units: Any = pint.application_registry
    example = f"5 {(port.proposed_units or [port.reference_unit or 'mm'])[0]}"
    if isinstance(value, bool) or not (isinstance(value, str) or hasattr(value, "magnitude")):
        raise ArgumentError(
            f"{where!r} (QUANTITY) got {value!r}: a number with its unit is needed, such as {example!r}.", port=port.key
        )
    try:
        quantity = (
            units.Quantity(value) if isinstance(value, str) else units.Quantity(value.magnitude, str(value.units))
        )
        needed = units.Unit(port.reference_unit) if port.reference_unit else None
    except Exception as error:
        raise ArgumentError(
            f"{where!r} (QUANTITY) got {value!r}, which is no quantity ({error}). Write it like {example!r}.",
            port=port.key,
        ) from error
    if needed is not None and quantity.dimensionality != needed.dimensionality:
        raise ArgumentError(
            f"{where!r} (QUANTITY) got {value!r}, which is no {port.dimension or needed.dimensionality}. "
            f"Write it like {example!r}.",
            port=port.key,
        )
    return quantity
