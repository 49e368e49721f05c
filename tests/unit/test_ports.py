"""Type hints and docstrings become ports, as the wire's reference says."""

from __future__ import annotations

import enum
import hashlib
import json
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from annotated_types import Ge, Gt, Interval, Le, Len
from pydantic.alias_generators import to_snake

from jupyter_arkitekt.errors import DefinitionError
from jupyter_arkitekt.models.rekuest import Action, ActionKind, ArgPort, Definition, PortKind, SliderAssignWidget
from jupyter_arkitekt.rekuest import Description, FunctionRegistry, StructureRegistry, define, register
from jupyter_arkitekt.rekuest._functions import agent_hash, offer_of


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Thing:
    """Stays where it is and travels as an id."""

    def __init__(self, id_: str) -> None:
        self.id = id_


class Smart:
    """Says itself how it travels."""

    @classmethod
    def get_identifier(cls) -> str:
        return "@test/smart"

    async def ashrink(self) -> str:
        return "1"

    @classmethod
    async def aexpand(cls, id: str) -> Smart:
        return cls()


@pytest.fixture
def registry() -> StructureRegistry:
    made = StructureRegistry()
    made.register(
        Thing, "@test/thing", shrink=lambda thing: thing.id, expand=Thing, search="query { options }", ward="test"
    )
    return made


def add(a: int, b: int = 2) -> int:
    """Add

    Adds two numbers.

    Args:
        a: first
        b: second

    Returns:
        the sum
    """
    return a + b


def test_the_hash_that_the_wire_names_comes_out_for_its_function() -> None:
    definition = define(add)
    wire = definition.model_dump(mode="json", by_alias=True)

    def snake(value: Any) -> Any:
        if isinstance(value, list):
            return [snake(one) for one in value]
        return {to_snake(key): snake(one) for key, one in value.items()} if isinstance(value, dict) else value

    hashed = {
        key: snake(wire[key])
        for key in ("name", "description", "args", "returns", "stateful", "collections", "key", "version")
    }
    for port in hashed["args"]:
        port["requires"] = None
    for port in hashed["returns"]:
        port |= {"provides": None, "widget": None}
    hashed["is_test_for"] = []
    digest = hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()
    assert digest == "4c604569ad3780c1f17ebbab0f8995f99a38432896538ef09fa3f7d0f1b1c070"


def test_an_agents_hash_ignores_nulls_and_order_and_sees_every_change() -> None:
    registry = FunctionRegistry()
    register(registry=registry)(add)
    first = registry.get("add")
    assert first is not None
    offer = offer_of([first], "app")
    wire = offer.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"hash"})
    compact = json.dumps(wire, sort_keys=True, separators=(",", ":"))
    assert offer.hash == hashlib.sha256(compact.encode()).hexdigest()
    assert ":null" not in compact
    first.definition.args[0].description = "another"
    assert agent_hash(offer) != offer.hash


def test_every_type_that_can_be_hosted_becomes_its_port(registry: StructureRegistry) -> None:
    def everything(
        a: int,
        b: float,
        c: str,
        d: bool,
        e: datetime,
        f: Colour,
        g: Literal["u", "v"],
        h: list[float],
        i: dict[str, list[int]],
        j: Union[int, str],  # noqa: UP007 - both spellings are read
        k: int | Thing,
        m: Thing,
        n: Smart,
        o: Optional[float],  # noqa: UP045
        p: str | None,
    ) -> None: ...

    ports = {port.key: port for port in define(everything, registry=registry).args}
    kinds = {key: port.kind.value for key, port in ports.items()}
    assert kinds == {
        "a": "INT", "b": "FLOAT", "c": "STRING", "d": "BOOL", "e": "DATE", "f": "ENUM", "g": "ENUM", "h": "LIST",
        "i": "DICT", "j": "UNION", "k": "UNION", "m": "STRUCTURE", "n": "STRUCTURE", "o": "FLOAT", "p": "STRING",
    }  # fmt: skip
    assert [port.key for port in ports.values() if port.nullable] == ["o", "p"]
    assert ports["f"].identifier == f"{__name__}.colour".lower()
    assert [choice.value for choice in ports["f"].choices or ()] == ["RED", "BLUE"]
    assert ports["g"].identifier == "literal.u_v"
    children = {key: [(c.key, c.kind) for c in ports[key].children or ()] for key in "hijk"}
    assert children["h"] == [("...", PortKind.FLOAT)]
    assert children["i"] == [("...", PortKind.LIST)]
    assert children["j"] == [("0", PortKind.INT), ("1", PortKind.STRING)]
    assert children["k"] == [("0", PortKind.INT), ("1", PortKind.STRUCTURE)]
    assert ports["m"].identifier == "@test/thing"
    assert ports["m"].model_dump(by_alias=True)["widget"] == {
        "kind": "SEARCH", "query": "query { options }", "ward": "test", "dependencies": None,
    }  # fmt: skip
    assert ports["n"].identifier == "@test/smart"


def test_a_default_makes_a_port_nullable_and_travels_as_json() -> None:
    def defaults(  # type: ignore[no-untyped-def]
        a: int = 3,
        b: str = "q",
        c: float = 1,
        d: Colour = Colour.RED,
        e: Literal["u", "v"] = "u",
        f: int | str = 3,
        g: list[int] = [1, 2],  # noqa: B006 - never changed
        h: datetime = datetime(2026, 1, 2),  # noqa: DTZ001
        i: float | None = None,
        j=4,
    ) -> None: ...

    ports = define(defaults).args
    assert all(port.nullable for port in ports)
    assert [port.default for port in ports] == [3, "q", 1.0, "RED", "u", 3, [1, 2], "2026-01-02T00:00:00", None, 4]
    assert ports[-1].kind is PortKind.INT


def test_the_name_and_the_descriptions_come_from_the_function_and_its_docstring() -> None:
    def get_random_image(width: int, seed: int) -> tuple[int, str]:
        """Make an image.

        From nothing.

        Parameters
        ----------
        width : int
            How wide, in pixels.

        Returns
        -------
        int
            the first
        str
            the second
        """
        raise NotImplementedError

    made = define(get_random_image)
    assert (made.key, made.name, made.version) == ("get_random_image", "Get Random Image", "1")
    assert made.description == "Make an image.\n\nFrom nothing."
    assert not made.is_dev
    assert [(port.label, port.description) for port in made.args] == [("width", "How wide, in pixels."), (None, None)]
    assert [(port.key, port.kind, port.description) for port in made.returns] == [
        ("return0", PortKind.INT, "the first"),
        ("return1", PortKind.STRING, "the second"),
    ]

    def bare() -> None: ...

    assert define(bare).description == "No Description"
    assert define(bare).is_dev
    assert define(bare).returns == []
    assert define(bare, name="Other", description="Said.").name == "Other"


def test_generators_of_both_kinds_yield_what_their_hint_names() -> None:
    def stream() -> Iterator[int]:
        yield 1

    async def astream() -> AsyncIterator[str]:
        yield "a"

    assert define(stream).kind is ActionKind.GENERATOR
    assert define(stream).returns[0].kind is PortKind.INT
    assert define(astream).returns[0].kind is PortKind.STRING


def test_bounds_become_rules_and_two_closed_ones_a_slider() -> None:
    def bounded(
        a: Annotated[int, Gt(3), Le(10)],
        b: Annotated[float, Interval(ge=0, le=2.5), Description("in pixels")],
        c: Annotated[list[int], Len(1, 3)],
        d: Annotated[float, Ge(0)],
    ) -> None: ...

    a, b, c, d = define(bounded).args
    assert [rule.function for rule in a.validators] == ["(x) => x > 3", "(x) => x <= 10"]
    assert a.validators[0].error_message == "Must be greater than 3"
    assert a.widget == SliderAssignWidget(min=4, max=10, step=1)
    assert b.widget == SliderAssignWidget(min=0, max=2.5)
    assert b.description == "in pixels"
    assert [rule.function for rule in c.validators] == ["(x) => x.length >= 1 && x.length <= 3"]
    assert d.widget is None


def _cannot() -> list[tuple[Callable[..., Any], str]]:
    def untyped(x): ...  # type: ignore[no-untyped-def]

    def unknown(x: complex) -> None: ...

    def naked(x: list) -> None: ...  # type: ignore[type-arg]

    def keyed(x: dict[int, str]) -> None: ...

    def tupled(x: tuple[int, int]) -> None: ...

    def many(*x: int) -> None: ...

    def default(x: int = "a") -> None: ...  # type: ignore[assignment]

    def structure(x: Thing = Thing("1")) -> None: ...  # noqa: B008

    def result() -> object: ...

    def endless() -> float:
        return float("inf")

    def infinite(x: float = float("inf")) -> None: ...

    del endless
    return [
        (untyped, "'x' has no type hint. Write one, such as `x: float`"),
        (unknown, "'x' has the type complex, which cannot travel"),
        (naked, "'x' is a list of unknown content"),
        (keyed, "keys of type int. Keys must be str"),
        (tupled, "'x' is a tuple. Use list"),
        (many, "'x' is written as [*]x"),
        (default, "'x' has the default 'a', which is not of its type"),
        (structure, "'x' is a structure with a default"),
        (result, "the result 0 has the type object"),
        (infinite, "'x' has the default inf, which JSON cannot carry"),
    ]


def test_what_cannot_travel_is_refused_with_the_parameters_name_and_the_way_out(registry: StructureRegistry) -> None:
    for function, told in _cannot():
        with pytest.raises(DefinitionError, match=told) as caught:
            define(function, registry=registry)
        assert str(caught.value).startswith(f"{function.__name__}(): ")


def test_register_works_bare_and_with_arguments_and_keeps_the_function_callable() -> None:
    mine = FunctionRegistry()
    bare = register(registry=mine)(add)
    other = register(name="Plus", interface="plus", concurrency="parallel", registry=mine)(add)
    assert bare(1, b=2) == 3
    assert other.definition.name == "Plus"
    assert not other.serial
    assert mine.get("plus") is other
    assert bare.function is add
    with pytest.raises(DefinitionError, match="'serial' or 'parallel'"):
        register(concurrency="both")  # type: ignore[call-overload]


def test_running_a_cell_again_replaces_its_function_and_another_module_may_not() -> None:
    mine = FunctionRegistry()
    told: list[int] = []
    mine.observe(lambda: told.append(1))
    first = register(registry=mine)(add)
    second = register(registry=mine)(add)
    assert mine.get("add") is second is not first
    assert len(told) == 2

    def add_elsewhere(a: int) -> int:
        return a

    add_elsewhere.__module__ = "elsewhere"
    with pytest.raises(DefinitionError, match="Give one of them another name"):
        register(interface="add", registry=mine)(add_elsewhere)


@register(interface="test_ports_module_level", registry=FunctionRegistry())
def module_level(a: int) -> int:
    return a


def test_a_registered_function_pickles_like_a_plain_one() -> None:
    assert pickle.loads(pickle.dumps(module_level)) is module_level


def test_words_of_a_newer_server_are_read_without_harm() -> None:
    wire = {
        "id": "3", "name": "New", "hash": "h", "__typename": "Action", "kind": "FUNCTION",
        "args": [{
            "key": "x", "kind": "HOLOGRAM", "validators": None, "children": None,
            "widget": {"kind": "TELEPATHY", "__typename": "TelepathyWidget"},
        }],
        "returns": [{"key": "return0", "kind": "INT"}],
    }  # fmt: skip
    action = Action.model_validate(wire)
    assert action.args[0].kind is PortKind.UNKNOWN
    assert action.args[0].widget is None
    assert repr(action) == "<Action 3 'New': (x: unknown) -> int>"


def test_a_definition_survives_the_wire() -> None:
    made = define(add)
    again = Definition.model_validate(json.loads(made.model_dump_json(by_alias=True)))
    assert again == made
    assert isinstance(again.args[0], ArgPort)
