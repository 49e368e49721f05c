"""From a type hint to a port."""

from __future__ import annotations

import enum
import inspect
import types
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from jupyter_arkitekt.errors import DefinitionError
from jupyter_arkitekt.models.rekuest import ArgPort, PortKind, ReturnPort, SearchAssignWidget
from jupyter_arkitekt.rekuest import _markers
from jupyter_arkitekt.rekuest._structures import StructureRegistry

P = TypeVar("P", bound=ArgPort | ReturnPort)

_PLAIN = {
    bool: PortKind.BOOL,
    int: PortKind.INT,
    float: PortKind.FLOAT,
    datetime: PortKind.DATE,
    str: PortKind.STRING,
}
_ADVICE = (
    "Use str, bool, int, float, datetime, an Enum, a Literal, list[...], dict[str, ...], a union of these, or a "
    "structure such as Image. For a class of your own, say how it travels with structures.register(...)."
)


def port(hint: Any, key: str, made: type[P], registry: StructureRegistry, where: str) -> P:
    """Turn `hint` into a port.

    Parameters
    ----------
    hint
        The type hint, resolved, with its ``Annotated`` extras.
    key
        The port's key.
    made
        `ArgPort` or `ReturnPort`.
    registry
        Where structures and enumerations are looked up; enumerations are added to it.
    where
        Who has this hint, for the message: ``"blur(): the parameter 'sigma'"``.

    Raises
    ------
    DefinitionError
        If values of that type cannot travel.
    """
    hint, nullable, marks = _strip(hint)
    found = _bare(hint, key, made, registry, where)
    found.nullable = nullable
    for mark in marks:
        if isinstance(mark, _markers.Description):
            found.description = mark.text
    found.validators = _markers.validators(marks)
    if isinstance(found, ArgPort) and found.kind in (PortKind.INT, PortKind.FLOAT):
        found.widget = _markers.slider(marks, whole=found.kind is PortKind.INT)
    return found


def is_optional(hint: Any) -> bool:
    """Whether `hint` allows ``None``."""
    return _strip(hint)[1]


def _strip(hint: Any) -> tuple[Any, bool, tuple[Any, ...]]:
    """Take ``Annotated`` and ``Optional`` off, in whatever order they were put on."""
    nullable = False
    marks: tuple[Any, ...] = ()
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint, *extra = get_args(hint)
            marks += tuple(extra)
        elif origin in (Union, types.UnionType) and type(None) in get_args(hint):
            nullable = True
            members = tuple(member for member in get_args(hint) if member is not type(None))
            if not members:
                return hint, nullable, marks
            hint = Union[members]  # noqa: UP007 - built from a tuple
        else:
            return hint, nullable, marks


def _bare(hint: Any, key: str, made: type[P], registry: StructureRegistry, where: str) -> P:
    origin, args = get_origin(hint), get_args(hint)
    if hint in (list, Sequence, dict, Mapping) or (origin is dict and not args):
        name = "dict[str, ...]" if hint in (dict, Mapping) else "list[...]"
        raise DefinitionError(f"{where} is a {_name(hint)} of unknown content. Say what is in it: {name}.")
    if origin in (list, Sequence):
        child = port(args[0], "...", made, registry, where)
        return made(key=key, kind=PortKind.LIST, children=[child])
    if origin in (Union, types.UnionType):
        children = [port(member, str(index), made, registry, where) for index, member in enumerate(args)]
        return made(key=key, kind=PortKind.UNION, children=children)
    if origin in (dict, Mapping):
        if args[0] is not str:
            raise DefinitionError(f"{where} is a dict with keys of type {_name(args[0])}. Keys must be str.")
        return made(key=key, kind=PortKind.DICT, children=[port(args[1], "...", made, registry, where)])
    if origin is Literal or (inspect.isclass(hint) and issubclass(hint, enum.Enum)):
        identifier, choices = registry.enumerate(hint)
        if not choices:
            raise DefinitionError(f"{where} is the Enum {_name(hint)}, which has no members.")
        return made(key=key, kind=PortKind.ENUM, identifier=identifier, choices=choices)
    if hint in _PLAIN:
        return made(key=key, kind=_PLAIN[hint])
    if inspect.isclass(hint) and origin is None:
        structure = registry.by_type(hint)
        if structure is not None:
            found = made(key=key, kind=PortKind.STRUCTURE, identifier=structure.identifier)
            if isinstance(found, ArgPort) and structure.search:
                found.widget = SearchAssignWidget(query=structure.search, ward=structure.ward or "")
            return found
    if origin is tuple or hint is tuple:
        raise DefinitionError(f"{where} is a tuple. Use list[...], or one parameter for each member.")
    raise DefinitionError(f"{where} has the type {_name(hint)}, which cannot travel to another program. {_ADVICE}")


def _name(hint: Any) -> str:
    if inspect.isclass(hint) and get_origin(hint) is None:
        return hint.__qualname__ if hint.__module__ == "builtins" else f"{hint.__module__}.{hint.__qualname__}"
    return str(hint).removeprefix("typing.")
