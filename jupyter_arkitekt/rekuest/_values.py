"""Values on their way between Python and the wire.

Two doors each way: `pack_args` and `unpack_returns` for who calls, `unpack_args` and `pack_returns` for who hosts. A
value that does not fit raises `ArgumentError`, which names the port and, inside a list or dict, the way to the value.

What callers give is read generously (a numpy scalar is a number, ``"3"`` is one where a number is asked for), but
nothing is guessed: ``3.5`` is no INT, ``"maybe"`` is no BOOL. Whole numbers of FLOAT ports are sent as ``20.0``,
because upstream's agents refuse ``20`` there.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from jupyter_arkitekt.errors import ArgumentError, ArkitektError
from jupyter_arkitekt.models.rekuest import ArgPort, Port, PortKind, ReturnPort
from jupyter_arkitekt.rekuest import _quantity
from jupyter_arkitekt.rekuest._plain import check_rules, member_name, plain, scalar, wrong
from jupyter_arkitekt.rekuest._structures import StructureRegistry

__all__ = ["pack", "pack_args", "pack_returns", "unpack", "unpack_args", "unpack_returns"]


async def pack_args(
    ports: Sequence[ArgPort], args: Sequence[Any], kwargs: Mapping[str, Any], registry: StructureRegistry, called: str
) -> dict[str, Any]:
    """Match `args` and `kwargs` to `ports` and return the wire's arguments, one for every port.

    Raises
    ------
    ArgumentError
        If a value does not fit, is missing, is given twice, or belongs to no port.
    """
    keys = [port.key for port in ports]
    if len(args) > len(keys):
        raise ArgumentError(f"{called} takes {_count(len(keys))}, {len(args)} were given. {_takes(keys)}")
    given = dict(zip(keys, args, strict=False))
    for key, value in kwargs.items():
        if key in given:
            raise ArgumentError(f"{called}: the argument {key!r} was given twice.", port=key)
        if key not in keys:
            raise ArgumentError(f"{called} has no argument {key!r}. {_takes(keys)}", port=key)
        given[key] = value
    wire: dict[str, Any] = {}
    for port in ports:
        if port.key not in given:
            if not port.nullable and port.default is None:
                raise ArgumentError(f"{called}: the argument {port.key!r} is missing. {_takes(keys)}", port=port.key)
            wire[port.key] = None
        else:
            wire[port.key] = await pack(given[port.key], port, registry)
    return wire


async def unpack_args(ports: Sequence[ArgPort], wire: Mapping[str, Any], registry: StructureRegistry) -> dict[str, Any]:
    """Return the Python arguments of a body; what is absent or null takes the port's default."""
    args: dict[str, Any] = {}
    for port in ports:
        value = wire.get(port.key)
        if value is None:
            value = _default_on_wire(port, port.default)
        args[port.key] = await unpack(value, port, registry)
    return args


async def pack_returns(ports: Sequence[ReturnPort], result: Any, registry: StructureRegistry) -> dict[str, Any]:
    """Return the wire's results of a body that returned `result`."""
    if not ports:
        return {}
    values: Sequence[Any] = (result,)
    if len(ports) > 1:
        if not isinstance(result, (tuple, list)) or len(result) != len(ports):
            got = f"{len(result)} values" if isinstance(result, (tuple, list)) else f"a {type(result).__name__}"
            raise ArgumentError(f"The function says that it returns {len(ports)} values, it returned {got}.")
        values = result
    return {port.key: await pack(value, port, registry) for port, value in zip(ports, values, strict=True)}


async def unpack_returns(
    ports: Sequence[ReturnPort], wire: Mapping[str, Any] | None, registry: StructureRegistry
) -> Any:
    """Return what a call gives its caller: ``None``, the one result, or a tuple of them."""
    values = [await unpack((wire or {}).get(port.key), port, registry) for port in ports]
    if not values:
        return None
    return values[0] if len(values) == 1 else tuple(values)


async def pack(value: Any, port: Port, registry: StructureRegistry, where: str = "") -> Any:
    """Turn one Python value into what the wire carries."""
    where = where or port.key
    if value is None:
        if port.nullable:
            return None
        raise wrong(value, port, where, "None is not allowed here")
    kind = port.kind
    value = scalar(value)
    match kind:
        case PortKind.LIST:
            if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
                raise wrong(value, port, where, "a list is needed")
            packed: Any = [
                await pack(one, _child(port), registry, f"{where}[{index}]") for index, one in enumerate(value)
            ]
        case PortKind.DICT:
            if not isinstance(value, Mapping):
                raise wrong(value, port, where, "a dict is needed")
            packed = {
                str(key): await pack(one, _child(port), registry, f"{where}[{key!r}]") for key, one in value.items()
            }
        case PortKind.UNION:
            packed = await _pack_union(value, port, registry, where)
        case PortKind.MODEL:
            packed = await _pack_model(value, port, registry, where)
        case PortKind.STRUCTURE | PortKind.INTERFACE:
            packed = await _pack_structure(value, port, registry, where)
        case PortKind.MEMORY_STRUCTURE:
            drawer = _drawer(value, port, where)
            packed = {"__identifier": port.identifier, "object": drawer}
        case PortKind.QUANTITY:
            packed = _quantity.pack(value, port, where)
        case _:
            packed = plain(value, port, where)
            if kind is PortKind.DATE:
                packed = packed.isoformat()
            elif kind is PortKind.ENUM:
                packed = member_name(value, port, where)
    check_rules(value, port, where)
    return packed


async def unpack(value: Any, port: Port, registry: StructureRegistry, where: str = "") -> Any:
    """Turn one value of the wire into Python."""
    where = where or port.key
    if value is None:
        if port.nullable:
            return None
        raise wrong(value, port, where, "it is missing")
    match port.kind:
        case PortKind.LIST:
            if not isinstance(value, list):
                raise wrong(value, port, where, "a list is needed")
            found: Any = [
                await unpack(one, _child(port), registry, f"{where}[{index}]") for index, one in enumerate(value)
            ]
        case PortKind.DICT:
            if not isinstance(value, dict):
                raise wrong(value, port, where, "an object is needed")
            found = {key: await unpack(one, _child(port), registry, f"{where}[{key!r}]") for key, one in value.items()}
        case PortKind.UNION:
            use = value.get("__use") if isinstance(value, dict) else None
            children = port.children or []
            if not isinstance(use, int) or not 0 <= use < len(children):
                raise wrong(value, port, where, "it does not say which member of the union it is")
            return await unpack(value.get("__value"), children[use], registry, where)
        case PortKind.MODEL:
            if not isinstance(value, dict):
                raise wrong(value, port, where, "an object is needed")
            found = {
                child.key: await unpack(value.get(child.key), child, registry, f"{where}.{child.key}")
                for child in port.children or ()
            }
        case PortKind.STRUCTURE | PortKind.INTERFACE:
            return await _unpack_structure(value, port, registry, where)
        case PortKind.MEMORY_STRUCTURE:
            return _drawer(value, port, where)
        case PortKind.QUANTITY:
            return _quantity.unpack(value, port, where)
        case PortKind.ENUM:
            name = member_name(value, port, where)
            members = registry.members(port.identifier)
            return name if members is None else members.get(name, name)
        case _:
            found = plain(value, port, where)
    check_rules(found, port, where)
    return found


async def _pack_union(value: Any, port: Port, registry: StructureRegistry, where: str) -> dict[str, Any]:
    children = _children(port)
    if isinstance(value, Mapping) and set(value) == {"__use", "__value"}:
        return dict(value)
    for index, child in enumerate(children):
        if _fits(value, child, registry):
            return {"__use": index, "__value": await pack(value, child, registry, where)}
    for index, child in enumerate(children):
        try:
            return {"__use": index, "__value": await pack(value, child, registry, where)}
        except ArgumentError:
            continue
    raise wrong(value, port, where, "it fits no member of the union: " + ", ".join(c.kind.lower() for c in children))


def _fits(value: Any, port: Port, registry: StructureRegistry) -> bool:
    """Whether `value` is just what `port` is for, without any conversion."""
    match port.kind:
        case PortKind.BOOL:
            return isinstance(value, bool)
        case PortKind.INT:
            return isinstance(value, int) and not isinstance(value, bool)
        case PortKind.FLOAT:
            return isinstance(value, float)
        case PortKind.STRING:
            return isinstance(value, str)
        case PortKind.DATE:
            return isinstance(value, date)
        case PortKind.LIST:
            return isinstance(value, (list, tuple))
        case PortKind.DICT:
            return isinstance(value, dict) and "__identifier" not in value
        case PortKind.ENUM:
            return isinstance(value, enum.Enum) and value.name in {choice.value for choice in port.choices or ()}
        case PortKind.STRUCTURE:
            structure = registry.by_type(type(value))
            named = value.get("__identifier") if isinstance(value, dict) else structure and structure.identifier
            return named == port.identifier
    return False


async def _pack_model(value: Any, port: Port, registry: StructureRegistry, where: str) -> dict[str, Any]:
    packed: dict[str, Any] = {"__identifier": port.identifier}
    for child in port.children or ():
        inside = f"{where}.{child.key}"
        one = value.get(child.key) if isinstance(value, Mapping) else getattr(value, child.key, None)
        if one is None:
            one = _default_on_wire(child, child.default)
        packed[child.key] = await pack(one, child, registry, inside)
    return packed


async def _pack_structure(value: Any, port: Port, registry: StructureRegistry, where: str) -> dict[str, Any]:
    if isinstance(value, Mapping):
        if value.get("__identifier") == port.identifier and value.get("object") is not None:
            return {"__identifier": port.identifier, "object": str(value["object"])}
        raise wrong(value, port, where, f"a {port.identifier} is needed")
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return {"__identifier": port.identifier, "object": str(value)}
    structure = registry.by_type(type(value))
    if structure is None or structure.identifier != port.identifier:
        raise wrong(value, port, where, f"a {port.identifier} or its id is needed")
    return {"__identifier": port.identifier, "object": await structure.to_id(value)}


async def _unpack_structure(value: Any, port: Port, registry: StructureRegistry, where: str) -> Any:
    if not isinstance(value, dict) or value.get("__identifier") != port.identifier or value.get("object") is None:
        raise wrong(value, port, where, f"a reference to a {port.identifier} is needed")
    structure = registry.by_identifier(port.identifier or "")
    if structure is None:
        # Whoever has no class for it still gets the reference, and can pass it on.
        return value
    try:
        return await structure.to_object(str(value["object"]))
    except ArkitektError as error:
        raise ArgumentError(
            f"{where!r}: the {port.identifier} {value['object']} could not be fetched: {error}", port=port.key
        ) from error


def _drawer(value: Any, port: Port, where: str) -> str:
    if isinstance(value, Mapping):
        value = value.get("object") if value.get("__identifier") == port.identifier else None
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value)
    raise wrong(value, port, where, "a value that an agent keeps in its memory is needed: what a call returned")


def _default_on_wire(port: Port, default: Any) -> Any:
    """A union's default is bare on the wire, its values have an envelope: put it into one."""
    if port.kind is not PortKind.UNION or default is None:
        return default
    for index, child in enumerate(_children(port)):
        try:
            plain(default, child, port.key)
        except ArgumentError:
            continue
        return {"__use": index, "__value": default}
    return default


def _children(port: Port) -> Sequence[Port]:
    return port.children or ()


def _child(port: Port) -> Port:
    if not port.children:
        raise ArgumentError(f"{port.key!r}: the action does not say what its {port.kind.lower()} holds.", port=port.key)
    return port.children[0]


def _count(number: int) -> str:
    return f"{number} argument" if number == 1 else f"{number} arguments"


def _takes(keys: Sequence[str]) -> str:
    return f"It takes: {', '.join(keys)}." if keys else "It takes none."
