"""A definition as it is stored, and the hash that names it.

Ports are stored as they are read back: the wire's camelCase, every field there, nothing else. The hash is taken over the
same objects in snake_case, nulls included, because that is how the reference server does it, and hashes are exchanged.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from jupyter_arkitekt.server.graphql import Refuse

Wire = dict[str, Any]

_PORT = (
    "validators",
    "key",
    "label",
    "kind",
    "description",
    "identifier",
    "nullable",
    "effects",
    "default",
    "choices",
    "referenceUnit",
    "proposedUnits",
    "dimension",
    "widget",
)
_CHOICE = ("value", "label", "image", "description")
_EFFECT = ("function", "dependencies", "message", "kind", "fade", "hook", "ward")
_VALIDATOR = ("function", "dependencies", "label", "errorMessage")
_CONSTRAINT = ("key", "operator", "value")
_TARGET = ("hash", "app", "key", "version")
_RETURN_WIDGET = ("kind", "query", "choices", "min", "max", "step", "placeholder", "hook", "ward")
_ASSIGN_WIDGET = (
    "kind",
    "query",
    "choices",
    "stateChoices",
    "followValue",
    "min",
    "max",
    "step",
    "placeholder",
    "asParagraph",
    "hook",
    "ward",
    "fallback",
    "filters",
    "dependencies",
    "dependency",
    "targetDependency",
    "targetAction",
    "targetPort",
    "statePath",
    "stateAccessors",
)
_IDENTIFIED = {"STRUCTURE", "MEMORY_STRUCTURE", "ENUM", "MODEL", "INTERFACE"}
_CHILDREN = {"LIST": 1, "DICT": 1}

#: Ports nest as deep as people write type hints; what is deeper is a mistake or an attack.
MAX_DEPTH = 12


def arg_port(port: Wire) -> Wire:
    """Return the argument port `port` in full, checked.

    Raises
    ------
    Refuse
        If the port makes no sense; the message names it.
    """
    return _port(port, "requires", 0, "")


def return_port(port: Wire) -> Wire:
    """Return the return port `port` in full, checked.

    Raises
    ------
    Refuse
        If the port makes no sense; the message names it.
    """
    return _port(port, "provides", 0, "")


def test_target(target: str | Wire) -> Wire:
    """Return what a test is for, in full: the hash of an action, or its key with app and version.

    Raises
    ------
    Refuse
        If neither a hash nor a key is given.
    """
    given = {"hash": target} if isinstance(target, str) else target
    if not given.get("hash") and not given.get("key"):
        raise Refuse("a test has to name what it is for, by hash or by key")
    return _only(given, _TARGET)


def action_hash(definition: Wire) -> str:
    """Return the hash of an action.

    Parameters
    ----------
    definition
        ``key``, ``version``, ``name``, ``description``, ``stateful``, ``collections``, ``testTargets`` and ``args`` and
        ``returns`` in full.

    Returns
    -------
    str
        SHA-256 in hexadecimal digits.
    """
    hashed = {name: definition[name] for name in ("name", "description", "stateful", "collections", "key", "version")}
    hashed["args"] = [_snake(port) for port in definition["args"]]
    hashed["returns"] = [_snake(port) for port in definition["returns"]]
    hashed["is_test_for"] = definition["testTargets"]
    return _sha(json.dumps(hashed, sort_keys=True))


def state_hash(ports: list[Wire]) -> str:
    """Return the hash of a state's definition, SHA-256 in hexadecimal digits."""
    return _sha(json.dumps({"ports": [_snake(port) for port in ports]}, sort_keys=True))


def args_hash(args: Wire) -> str:
    """Return the hash of a call's arguments (``sha256-canonical-v1``), SHA-256 in hexadecimal digits."""
    return _sha(json.dumps(args, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _port(port: Wire, constraints: str, depth: int, path: str) -> Wire:
    path = f"{path}{port['key']}"
    if depth > MAX_DEPTH:
        raise Refuse(f"port {path} is nested deeper than {MAX_DEPTH} levels")
    kind, children = port["kind"], port.get("children")
    wanted = _CHILDREN.get(kind)
    if wanted is not None and len(children or ()) != wanted:
        raise Refuse(f"port {path} of kind {kind} needs exactly one child, it has {len(children or ())}")
    if kind in _IDENTIFIED and not port.get("identifier"):
        raise Refuse(f"port {path} of kind {kind} needs an identifier")
    if "@" in (port.get("identifier") or "") and "/" not in port["identifier"]:
        raise Refuse(f"port {path}: the identifier {port['identifier']!r} has to look like @package/name")
    full = _only(port, _PORT)
    if kind == "QUANTITY":
        full["dimension"] = _dimension(port, path)
    full["nullable"] = bool(port.get("nullable"))
    full["validators"] = _each(port.get("validators"), _VALIDATOR)
    full["effects"] = _each(port.get("effects"), _EFFECT)
    full["choices"] = _each(port.get("choices"), _CHOICE)
    full[constraints] = _each(port.get(constraints), _CONSTRAINT)
    full["widget"] = _widget(port.get("widget"), constraints, depth, path)
    full["children"] = None if children is None else [_port(c, constraints, depth + 1, f"{path}..") for c in children]
    return full


def _dimension(port: Wire, path: str) -> str:
    import pint  # loading it costs 0.2 s, and few functions take a quantity

    if not port.get("referenceUnit"):
        raise Refuse(f"port {path} of kind QUANTITY needs a reference unit")
    units = pint.application_registry
    try:
        dimensions = {
            unit: str(units.Unit(unit).dimensionality)
            for unit in (port["referenceUnit"], *(port.get("proposedUnits") or ()))
        }
    except (pint.PintError, ValueError, TypeError) as error:
        raise Refuse(f"port {path} names a unit that nobody knows: {error}") from error
    dimension = dimensions[port["referenceUnit"]]
    odd = [unit for unit, found in dimensions.items() if found != dimension]
    if odd or port.get("dimension") not in {None, dimension}:
        raise Refuse(f"port {path} is a {dimension}; {odd[0] if odd else port['dimension']} does not fit to it")
    return dimension


def _widget(widget: Wire | None, constraints: str, depth: int, path: str) -> Wire | None:
    if widget is None:
        return None
    if constraints == "provides":
        return _only(widget, _RETURN_WIDGET) | {"choices": _each(widget.get("choices"), _CHOICE)}
    full = _only(widget, _ASSIGN_WIDGET)
    full["choices"] = _each(widget.get("choices"), _CHOICE)
    filters = widget.get("filters")
    full["filters"] = None if filters is None else [_port(f, constraints, depth + 1, f"{path}..") for f in filters]
    if depth > MAX_DEPTH:
        raise Refuse(f"the widget of port {path} has more than {MAX_DEPTH} fallbacks")
    full["fallback"] = _widget(widget.get("fallback"), constraints, depth + 1, path)
    return full


def _only(given: Wire, names: tuple[str, ...]) -> Wire:
    return {name: given.get(name) for name in names}


def _each(given: list[Wire] | None, names: tuple[str, ...]) -> list[Wire] | None:
    return None if given is None else [_only(one, names) for one in given]


#: Members whose value belongs to people: the names inside of it are not ours to respell.
_OPAQUE = {"default", "value"}


def _snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            re.sub(r"(?<=[a-z])([A-Z])", r"_\1", key).lower(): item if key in _OPAQUE else _snake(item)
            for key, item in value.items()
        }
    return [_snake(item) for item in value] if isinstance(value, list) else value
