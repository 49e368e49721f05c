"""From a Python function to the definition of an action."""

from __future__ import annotations

import collections.abc
import enum
import inspect
import math
import typing
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, get_args, get_origin

from jupyter_arkitekt.errors import DefinitionError
from jupyter_arkitekt.models.rekuest import ActionKind, ArgPort, Definition, PortKind, ReturnPort
from jupyter_arkitekt.rekuest import _docs, _hints
from jupyter_arkitekt.rekuest._structures import StructureRegistry, structures

_STREAMS = (
    collections.abc.Generator,
    collections.abc.AsyncGenerator,
    collections.abc.Iterator,
    collections.abc.AsyncIterator,
    collections.abc.Iterable,
    collections.abc.AsyncIterable,
)


def define(
    function: Callable[..., Any],
    *,
    key: str | None = None,
    name: str | None = None,
    description: str | None = None,
    version: str = "1",
    collections: Sequence[str] = (),
    is_test_for: Sequence[str] = (),
    stateful: bool = False,
    registry: StructureRegistry = structures,
) -> Definition:
    """Read the definition of an action off `function`: its type hints, defaults and docstring.

    Parameters
    ----------
    function
        Function, coroutine function, generator function or asynchronous generator function.
    key, name, description, version
        In place of the function's name, that name in title case, its docstring, and ``"1"``.
    collections
        Labels.
    is_test_for
        Hashes of actions that this one tests.
    stateful
        Whether it gives different results for the same arguments, because it keeps something.
    registry
        Where structures are looked up.

    Raises
    ------
    DefinitionError
        If a parameter or result has no type hint, or one whose values cannot travel.
    """
    called = getattr(function, "__name__", type(function).__name__)
    docs = _docs.read(function)
    hints = _resolved(function, called)
    stream = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    args = [
        _argument(parameter, hints, docs, registry, called)
        for parameter in inspect.signature(function).parameters.values()
    ]
    return Definition(
        key=key or called,
        version=version,
        name=name or _docs.title(called),
        description=description or docs.text or "No Description",
        kind=ActionKind.GENERATOR if stream else ActionKind.FUNCTION,
        args=args,
        returns=_results(hints.get("return"), docs, registry, called, stream=stream),
        collections=list(collections),
        is_test_for=[{"hash": hash_} for hash_ in is_test_for],
        is_dev=not (description or docs.text),
        stateful=stateful,
    )


def _resolved(function: Callable[..., Any], called: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(inspect.unwrap(function), include_extras=True)
    except NameError as error:
        raise DefinitionError(
            f"{called}(): a type hint names {error.name!r}, which does not exist where the function is defined. "
            "Import or define it before the function, at the top level."
        ) from error
    except TypeError as error:
        raise DefinitionError(f"{called}(): its type hints cannot be read: {error}.") from error


def _argument(
    parameter: inspect.Parameter, hints: dict[str, Any], docs: _docs.Docs, registry: StructureRegistry, called: str
) -> ArgPort:
    key = parameter.name
    where = f"{called}(): the parameter {key!r}"
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        star = "**" if parameter.kind is inspect.Parameter.VAR_KEYWORD else "*"
        raise DefinitionError(f"{where} is written as {star}{key}. Every argument needs a name and a type of its own.")
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        raise DefinitionError(f"{where} can only be given by position. Arguments travel by name: remove the '/'.")
    given = parameter.default is not inspect.Parameter.empty
    if key in hints:
        hint = hints[key]
    elif given and isinstance(parameter.default, (bool, int, float, str, datetime, enum.Enum)):
        hint = type(parameter.default)
    else:
        extra = " Register plain functions, not methods." if key in ("self", "cls") else ""
        raise DefinitionError(f"{where} has no type hint. Write one, such as `{key}: float`.{extra}")
    port = _hints.port(hint, key, ArgPort, registry, where)
    if key in docs.params:
        port.label = key
        port.description = port.description or docs.params[key] or None
    if given:
        port.nullable = True
        if parameter.default is not None:
            port.default = _default(parameter.default, port, where)
    return port


def _results(
    hint: Any, docs: _docs.Docs, registry: StructureRegistry, called: str, *, stream: bool
) -> list[ReturnPort]:
    if stream and hint is not None:
        if get_origin(hint) not in _STREAMS or not get_args(hint):
            raise DefinitionError(
                f"{called}(): it yields, so its result must be written as Iterator[...] or AsyncIterator[...]."
            )
        hint = get_args(hint)[0]
    if hint is None or hint is type(None):
        return []
    hints: tuple[Any, ...] = (hint,)
    if hint is tuple or get_origin(hint) is tuple:
        hints = get_args(hint)
        if not hints or Ellipsis in hints:
            raise DefinitionError(
                f"{called}(): it returns a tuple of unknown length. Write tuple[A, B], or list[A] for many of a kind."
            )
    ports = [
        _hints.port(one, f"return{index}", ReturnPort, registry, f"{called}(): the result {index}")
        for index, one in enumerate(hints)
    ]
    # One entry that describes a tuple goes to its first member.
    for port, said in zip(ports, docs.returns, strict=False):
        port.description = port.description or said or None
        port.label = port.key if said else None
    return ports


def _default(value: Any, port: ArgPort, where: str) -> Any:
    """Return a default as JSON."""
    wrong = DefinitionError(f"{where} has the default {value!r}, which is not of its type.")
    match port.kind:
        case PortKind.BOOL if isinstance(value, bool):
            return value
        case PortKind.INT if isinstance(value, int) and not isinstance(value, bool):
            return int(value)
        case PortKind.FLOAT if isinstance(value, (int, float)) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise DefinitionError(
                    f"{where} has the default {value!r}, which JSON cannot carry. Use None and set it in the body."
                )
            return float(value)
        case PortKind.STRING if isinstance(value, str):
            return str(value)
        case PortKind.DATE if isinstance(value, datetime):
            return value.isoformat()
        case PortKind.ENUM:
            name = value.name if isinstance(value, enum.Enum) else str(value)
            if all(choice.value != name for choice in port.choices or ()):
                raise wrong
            return name
        case PortKind.LIST if isinstance(value, (list, tuple)) and port.children:
            return [_default(one, port.children[0], where) for one in value]
        case PortKind.DICT if isinstance(value, dict) and port.children:
            return {str(key): _default(one, port.children[0], where) for key, one in value.items()}
        case PortKind.UNION:
            for child in port.children or ():
                try:
                    # Bare, as upstream writes it: the default of a union has no envelope.
                    return _default(value, child, where)
                except DefinitionError:
                    continue
            raise wrong
        case PortKind.STRUCTURE:
            raise DefinitionError(
                f"{where} is a structure with a default. A structure has none: write `= None` or no default."
            )
    raise wrong
