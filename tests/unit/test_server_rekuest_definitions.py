"""Definitions, their hash and demands: pure parts of the platform's rekuest."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_arkitekt.server.graphql import Refuse
from jupyter_arkitekt.server.rekuest._definitions import action_hash, arg_port, args_hash, return_port
from jupyter_arkitekt.server.rekuest._demands import fits_action, fits_ports, holds


def add_definition() -> dict[str, Any]:
    plain: dict[str, Any] = {"kind": "INT", "validators": [], "effects": []}
    return {
        "key": "add",
        "version": "1",
        "name": "Add",
        "description": "Add\n\nAdds two numbers.",
        "stateful": False,
        "collections": [],
        "testTargets": [],
        "args": [
            arg_port({**plain, "key": "a", "label": "a", "description": "first", "nullable": False}),
            arg_port({**plain, "key": "b", "label": "b", "description": "second", "nullable": True, "default": 2}),
        ],
        "returns": [
            return_port({**plain, "key": "return0", "label": "return0", "description": "the sum", "nullable": False})
        ],
    }


def test_the_hash_of_an_action_is_the_one_that_a_deployment_computes() -> None:
    assert action_hash(add_definition()) == "4c604569ad3780c1f17ebbab0f8995f99a38432896538ef09fa3f7d0f1b1c070"


def test_the_hash_of_arguments_keeps_numbers_and_letters_as_they_are() -> None:
    assert args_hash({"b": 20.0, "a": "µm"}) != args_hash({"b": 20, "a": "µm"})
    assert args_hash({"b": 1, "a": "µm"}) == args_hash({"a": "µm", "b": 1})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"key": "l", "kind": "LIST"}, "exactly one child"),
        ({"key": "s", "kind": "STRUCTURE"}, "needs an identifier"),
        ({"key": "s", "kind": "STRUCTURE", "identifier": "@image"}, "@package/name"),
        ({"key": "q", "kind": "QUANTITY"}, "reference unit"),
        ({"key": "q", "kind": "QUANTITY", "referenceUnit": "second", "proposedUnits": ["nm"]}, "nm does not fit"),
        ({"key": "q", "kind": "QUANTITY", "referenceUnit": "parrot"}, "nobody knows"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["kind"],
)
def test_a_port_that_makes_no_sense_is_refused_by_name(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(Refuse, match=says) as refusal:
        arg_port(wrong)
    assert wrong["key"] in str(refusal.value)


def test_a_port_nested_without_end_is_refused() -> None:
    port: dict[str, Any] = {"key": "...", "kind": "INT"}
    for _ in range(100):
        port = {"key": "...", "kind": "LIST", "children": [port]}
    with pytest.raises(Refuse, match="nested deeper"):
        arg_port(port)


def test_the_dimension_of_a_quantity_is_derived() -> None:
    port = arg_port({"key": "t", "kind": "QUANTITY", "referenceUnit": "second", "proposedUnits": ["ms"]})
    assert port["dimension"] == "[time]"


IMAGE = {"at": 0, "kind": "STRUCTURE", "identifier": "@mikro/image"}


def blur() -> dict[str, Any]:
    dims = [{"key": "mikro.channels", "operator": "LTE", "value": 3}]
    return {
        "hash": "h",
        "key": "blur",
        "app": "lab",
        "version": "1",
        "name": "Blur",
        "pure": True,
        "idempotent": True,
        "stateful": False,
        "interfaces": ["filter"],
        "args": [
            arg_port({"key": "image", "kind": "STRUCTURE", "identifier": "@mikro/image", "requires": dims}),
            arg_port({"key": "sizes", "kind": "LIST", "nullable": True, "children": [{"key": "...", "kind": "FLOAT"}]}),
        ],
        "returns": [return_port({"key": "return0", "kind": "STRUCTURE", "identifier": "@mikro/image"})],
    }


@pytest.mark.parametrize(
    ("demand", "fits"),
    [
        ({"kind": "ARGS", "matches": [IMAGE]}, True),
        ({"kind": "ARGS", "matches": [{**IMAGE, "at": 1}]}, False),
        ({"kind": "ARGS", "matches": [IMAGE], "forceLength": 1}, False),
        ({"kind": "ARGS", "matches": [IMAGE], "forceNonNullableLength": 1, "forceStructureLength": 1}, True),
        ({"kind": "ARGS", "matches": [{"kind": "LIST", "children": [{"kind": "FLOAT"}]}]}, True),
        ({"kind": "ARGS", "matches": [{"kind": "LIST", "children": [{"kind": "INT"}]}]}, False),
        ({"kind": "RETURNS", "matches": [{"identifier": "@mikro/file"}]}, False),
        ({"kind": "ARGS", "matches": [{**IMAGE, "descriptors": [{"key": "mikro.channels", "value": 2}]}]}, True),
        ({"kind": "ARGS", "matches": [{**IMAGE, "descriptors": [{"key": "mikro.channels", "value": 4}]}]}, False),
    ],
)
def test_a_demand_on_ports_holds_for_some_port(demand: dict[str, Any], fits: bool) -> None:
    assert fits_ports(blur(), demand) is fits


@pytest.mark.parametrize(
    ("demand", "fits"),
    [
        ({"hash": "h", "key": "another"}, True),
        ({"key": "blur", "app": "lab", "argMatches": [IMAGE]}, True),
        ({"key": "blur", "app": "another"}, False),
        ({"protocols": ["filter"]}, True),
        ({"protocols": ["filter", "viewer"]}, False),
        ({"pure": True, "forceReturnLength": 2}, False),
    ],
)
def test_a_demand_on_an_action_is_met_in_all_its_members(demand: dict[str, Any], fits: bool) -> None:
    assert fits_action(blur(), demand) is fits


def test_an_empty_demand_would_fit_everything_and_is_refused() -> None:
    with pytest.raises(Refuse, match="empty"):
        fits_ports(blur(), {"kind": "ARGS"})
    with pytest.raises(Refuse, match="empty"):
        fits_action(blur(), {})
    with pytest.raises(Refuse, match="descriptors"):
        fits_ports(blur(), {"kind": "ARGS", "matches": [{"descriptors": [{"key": "a", "value": 1}]}]})


@pytest.mark.parametrize(
    ("operator", "wanted", "expected"),
    [
        ("EXISTS", True, True),
        ("EXISTS", False, False),
        ("EQUALS", 3, True),
        ("NOT_EQUALS", 3, False),
        ("GTE", 4, False),
        ("LTE", 3, True),
        ("GTE", "text", False),
        ("IN", [1, 3], True),
        ("NOT_IN", [1, 3], False),
    ],
)
def test_constraints_compare_what_can_be_compared(operator: str, wanted: Any, expected: bool) -> None:
    assert holds({"z": 3}, {"key": "z", "operator": operator, "value": wanted}) is expected
