"""Whether an action, its ports or a state are what somebody asks for. Pure functions over stored rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jupyter_arkitekt.server.graphql import Refuse

Wire = Mapping[str, Any]

_STRUCTURAL = ("at", "key", "kind", "identifier", "nullable", "dimension", "children")
_EQUAL = ("key", "kind", "identifier", "nullable", "dimension")


def fits_ports(action: Wire, demand: Wire) -> bool:
    """Say whether the ports of `action` satisfy the ``PortDemandInput`` `demand`.

    Raises
    ------
    Refuse
        If the demand asks for nothing.
    """
    _something(demand, ("matches", "forceLength", "forceNonNullableLength", "forceStructureLength"))
    ports: Sequence[Wire] = action["args" if demand["kind"] == "ARGS" else "returns"]
    return (
        _counts(demand.get("forceLength"), ports)
        and _counts(demand.get("forceNonNullableLength"), [p for p in ports if not p["nullable"]])
        and _counts(demand.get("forceStructureLength"), [p for p in ports if p["kind"] == "STRUCTURE"])
        and _all_match(ports, demand.get("matches"))
    )


def fits_action(action: Wire, demand: Wire) -> bool:
    """Say whether `action` satisfies the ``ActionDemandInput`` `demand`.

    Raises
    ------
    Refuse
        If the demand asks for nothing.
    """
    _something(demand, tuple(demand))
    if demand.get("hash"):
        return bool(action["hash"] == demand["hash"])
    plain = ("key", "app", "version", "name", "pure", "idempotent", "stateful")
    return (
        all(demand.get(name) is None or action[name] == demand[name] for name in plain)
        and set(demand.get("protocols") or ()) <= set(action["interfaces"] or ())
        and _counts(demand.get("forceArgLength"), action["args"])
        and _counts(demand.get("forceReturnLength"), action["returns"])
        and _all_match(action["args"], demand.get("argMatches"))
        and _all_match(action["returns"], demand.get("returnMatches"))
    )


def fits_state(state: Wire, demand: Wire) -> bool:
    """Say whether `state` satisfies the ``StateDemandInput`` `demand`.

    Raises
    ------
    Refuse
        If the demand asks for nothing.
    """
    _something(demand, tuple(demand))
    if demand.get("hash"):
        return bool(state["hash"] == demand["hash"])
    return (
        all(demand.get(name) is None or state[name] == demand[name] for name in ("key", "app"))
        and not demand.get("protocols")  # states carry no protocols
        and _all_match(state["ports"], demand.get("matches"))
    )


def _something(demand: Wire, members: tuple[str, ...]) -> None:
    if all(demand.get(name) is None for name in members):
        raise Refuse("a demand has to ask for something; this one is empty and would fit everything")


def _counts(wanted: int | None, ports: Sequence[Wire]) -> bool:
    return wanted is None or len(ports) == wanted


def _all_match(ports: Sequence[Wire], matches: Sequence[Wire] | None) -> bool:
    for match in matches or ():
        if match.get("descriptors") and all(match.get(name) is None for name in _STRUCTURAL):
            raise Refuse("a match with descriptors has to name a kind, an identifier or another member as well")
    return all(_some_port(ports, match) for match in matches or ())


def _some_port(ports: Sequence[Wire], match: Wire) -> bool:
    at = match.get("at")
    if at is not None:
        ports = ports[at : at + 1] if at >= 0 else ()
    return any(_port(port, match) for port in ports)


def _port(port: Wire, match: Wire) -> bool:
    return (
        all(match.get(name) is None or port.get(name) == match[name] for name in _EQUAL)
        and all(_some_port(port.get("children") or (), child) for child in match.get("children") or ())
        and (not match.get("descriptors") or _describes(match["descriptors"], port.get("requires") or ()))
    )


def _describes(descriptors: Sequence[Wire], requires: Sequence[Wire]) -> bool:
    known = {descriptor["key"]: descriptor["value"] for descriptor in descriptors}
    return all(holds(known, constraint) for constraint in requires)


def holds(known: Mapping[str, Any], constraint: Wire) -> bool:
    """Say whether the object that `known` describes (value by dotted key) meets one ``requires`` constraint."""
    key, operator, wanted = constraint["key"], constraint["operator"], constraint["value"]
    if operator == "EXISTS":
        return (key in known) == bool(wanted)
    if key not in known:
        return False
    try:
        return bool(_OPERATORS[operator](known[key], wanted))
    except TypeError:  # 3 against "a": not comparable is not fulfilled
        return False


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "EQUALS": lambda value, wanted: value == wanted,
    "MATCHES": lambda value, wanted: value == wanted,
    "NOT_EQUALS": lambda value, wanted: value != wanted,
    "GTE": lambda value, wanted: value >= wanted,
    "LTE": lambda value, wanted: value <= wanted,
    "CONTAINS": lambda value, wanted: wanted in value,
    "IN": lambda value, wanted: value in wanted,
    "NOT_IN": lambda value, wanted: value not in wanted,
}
