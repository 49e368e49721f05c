"""Lengths and durations as one deployment takes them: with a unit, or as plain numbers where it is of an older release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.models.mikro import (
    PartialChannelViewInput,
    PartialTimepointViewInput,
    micrometres,
    seconds,
)

if TYPE_CHECKING:
    from graphql import GraphQLSchema

    from jupyter_arkitekt.transport import GraphQLClient

_WAVELENGTHS = ("emission_wavelength", "excitation_wavelength")


async def spoken(client: GraphQLClient, given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a ``FromArrayLikeInput`` by their names on the wire, in the deployment's vocabulary.

    Raises
    ------
    ArgumentError
        If a wavelength or a time makes no sense.
    """
    from pydantic.alias_generators import to_camel

    schema = await client.schema()
    return {
        to_camel(name): [_view(view, schema) for view in value] if isinstance(value, list | tuple) else value
        for name, value in given.items()
        if value is not None
    }


def _view(view: Any, schema: GraphQLSchema | None) -> Any:
    if isinstance(view, PartialChannelViewInput):
        return _channel(view, schema)
    if isinstance(view, PartialTimepointViewInput):
        return _timepoint(view, schema)
    return _dumped(view) if isinstance(view, BaseModel) else view


def _channel(view: PartialChannelViewInput, schema: GraphQLSchema | None) -> dict[str, Any]:
    dumped = _dumped(view)
    numbers = _type_of(schema, "PartialChannelViewInput", "emissionWavelength") == "Float"
    for field, name in zip(_WAVELENGTHS, ("emissionWavelength", "excitationWavelength"), strict=True):
        value = getattr(view, field)
        if value is None:
            continue
        length = micrometres(value, bare="nm")
        if length is None or not length > 0:
            raise ArgumentError(f"{field} is {value!r}. Give a length such as '488 nm', or a number of nanometres.")
        dumped[name] = length * 1000 if numbers else (value if isinstance(value, str) else f"{value:g} nm")
    return dumped


def _timepoint(view: PartialTimepointViewInput, schema: GraphQLSchema | None) -> dict[str, Any]:
    dumped = _dumped(view)
    if view.time_since_start is None:
        return dumped
    time = seconds(view.time_since_start, bare="ms")
    if time is None:
        raise ArgumentError(
            f"time_since_start is {view.time_since_start!r}. Give a duration such as '20 ms', or a number of "
            "milliseconds."
        )
    if schema is not None and _type_of(schema, "PartialTimepointViewInput", "timeSinceStart") is None:
        del dumped["timeSinceStart"]
        dumped["msSinceStart"] = time * 1000
    elif not isinstance(view.time_since_start, str):
        dumped["timeSinceStart"] = f"{view.time_since_start:g} ms"
    return dumped


def _dumped(view: BaseModel) -> dict[str, Any]:
    return view.model_dump(mode="json", by_alias=True, exclude_none=True)


def _type_of(schema: GraphQLSchema | None, input_type: str, field: str) -> str | None:
    from graphql import get_named_type

    if schema is None:
        return None
    fields: dict[str, Any] = getattr(schema.type_map.get(input_type), "fields", {})
    return get_named_type(fields[field].type).name if field in fields else None
