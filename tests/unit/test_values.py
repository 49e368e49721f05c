"""Values travel both ways, and what does not fit is refused with its port's name."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from annotated_types import Ge, Len

from jupyter_arkitekt.errors import ArgumentError, NotFoundError
from jupyter_arkitekt.models.rekuest import ArgPort, Choice, PortKind
from jupyter_arkitekt.rekuest import StructureRegistry, define
from jupyter_arkitekt.rekuest._values import pack, pack_args, pack_returns, unpack, unpack_args, unpack_returns


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Thing:
    def __init__(self, id_: str) -> None:
        self.id = id_


async def fetch(id_: str) -> Thing:
    if id_ == "404":
        raise NotFoundError("there is no thing 404")
    return Thing(id_)


@pytest.fixture
def registry() -> StructureRegistry:
    made = StructureRegistry()
    made.register(Thing, "@test/thing", shrink=lambda thing: thing.id, expand=fetch)
    return made


def ports(function: Callable[..., Any], registry: StructureRegistry) -> list[ArgPort]:
    return define(function, registry=registry).args


async def test_every_kind_comes_back_as_it_went(registry: StructureRegistry) -> None:
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
        j: int | str,
        m: Thing,
        o: float | None,
        p: list[Colour | None],
    ) -> None: ...

    found = ports(everything, registry)
    thing = Thing("7")
    given = {
        "a": 1, "b": 20, "c": "text", "d": True, "e": datetime(2026, 1, 2, 3, tzinfo=UTC), "f": Colour.BLUE, "g": "v",
        "h": [1, 2.5], "i": {"x": [1]}, "j": "s", "m": thing, "o": None, "p": [Colour.RED, None],
    }  # fmt: skip
    wire = await pack_args(found, (), given, registry, "everything")
    assert wire == {
        "a": 1, "b": 20.0, "c": "text", "d": True, "e": "2026-01-02T03:00:00+00:00", "f": "BLUE", "g": "v",
        "h": [1.0, 2.5], "i": {"x": [1]}, "j": {"__use": 1, "__value": "s"},
        "m": {"__identifier": "@test/thing", "object": "7"}, "o": None, "p": ["RED", None],
    }  # fmt: skip
    assert isinstance(wire["b"], float), "upstream's agents refuse a whole number for a FLOAT"
    back = await unpack_args(found, wire, registry)
    expanded = back.pop("m")
    assert isinstance(expanded, Thing)
    assert expanded.id == "7"
    assert back == {key: value for key, value in given.items() if key != "m"}


async def test_arguments_are_matched_by_place_then_by_name_and_missing_ones_are_null(
    registry: StructureRegistry,
) -> None:
    def function(a: int, b: int = 2, c: str | None = None) -> None: ...

    found = ports(function, registry)
    assert await pack_args(found, (1,), {"c": "x"}, registry, "f") == {"a": 1, "b": None, "c": "x"}
    assert await unpack_args(found, {"a": 1, "b": None}, registry) == {"a": 1, "b": 2, "c": None}
    for args, kwargs, told in [
        ((), {}, "f: the argument 'a' is missing. It takes: a, b, c."),
        ((1,), {"a": 1}, "f: the argument 'a' was given twice."),
        ((1,), {"z": 1}, "f has no argument 'z'. It takes: a, b, c."),
        ((1, 2, "c", 4), {}, "f takes 3 arguments, 4 were given."),
    ]:
        with pytest.raises(ArgumentError) as caught:
            await pack_args(found, args, kwargs, registry, "f")
        assert str(caught.value).startswith(told)


def port(kind: str, **more: Any) -> ArgPort:
    return ArgPort(key="x", kind=PortKind(kind), **more)


async def test_scalars_are_read_generously_and_never_guessed(registry: StructureRegistry) -> None:
    fine: list[tuple[str, Any, Any]] = [
        ("INT", "3", 3), ("INT", 3.0, 3), ("INT", np.int16(3), 3), ("INT", np.array(3), 3),
        ("FLOAT", "2.5", 2.5), ("FLOAT", np.float32(0.5), 0.5), ("FLOAT", 3, 3.0),
        ("BOOL", "false", False), ("BOOL", 1, True), ("BOOL", np.bool_(True), True),
        ("STRING", 3, "3"), ("DATE", date(2026, 1, 2), "2026-01-02T00:00:00"),
        ("DATE", "2026-01-02T00:00:00Z", "2026-01-02T00:00:00+00:00"),
    ]  # fmt: skip
    for kind, value, wire in fine:
        packed = await pack(value, port(kind), registry)
        assert (packed, type(packed)) == (wire, type(wire))
    for kind, value, told in [
        ("INT", 3.5, "a whole number is needed"), ("INT", "abc", "a whole number is needed"),
        ("FLOAT", float("nan"), "JSON carries finite numbers only"), ("FLOAT", [1], "a number is needed"),
        ("BOOL", "maybe", "True or False is needed"), ("STRING", [1], "a text is needed"),
        ("DATE", "yesterday", "a date is needed"), ("INT", None, "None is not allowed here"),
        ("INTERFACE", object(), "or its id is needed"), ("HOLOGRAM", 1, "update jupyter-arkitekt"),
    ]:  # fmt: skip
        with pytest.raises(ArgumentError, match=told) as caught:
            await pack(value, port(kind), registry)
        assert caught.value.port == "x"
        assert "'x'" in str(caught.value)


async def test_members_of_an_enumeration_that_is_unknown_here_travel_by_name(registry: StructureRegistry) -> None:
    foreign = port("ENUM", identifier="elsewhere.shade", choices=[Choice(value=n, label=n) for n in ("RED", "GREEN")])
    assert await pack(Colour.RED, foreign, registry) == "RED"
    assert await pack("GREEN", foreign, registry) == "GREEN"
    assert await unpack("GREEN", foreign, registry) == "GREEN"
    with pytest.raises(ArgumentError, match="one of RED, GREEN is needed"):
        await pack(Colour.BLUE, foreign, registry)


async def test_a_structure_is_taken_as_object_id_or_reference(registry: StructureRegistry) -> None:
    wanted = port("STRUCTURE", identifier="@test/thing")
    reference = {"__identifier": "@test/thing", "object": "7"}
    for value in (Thing("7"), "7", 7, reference):
        assert await pack(value, wanted, registry) == reference
    for wrong in (Colour.RED, {"__identifier": "@test/other", "object": "7"}, 1.5):
        with pytest.raises(ArgumentError, match="@test/thing"):
            await pack(wrong, wanted, registry)
    with pytest.raises(ArgumentError, match="a reference to a @test/thing is needed"):
        await unpack("7", wanted, registry)
    with pytest.raises(ArgumentError, match="404 could not be fetched: there is no thing 404"):
        await unpack({"__identifier": "@test/thing", "object": "404"}, wanted, registry)
    foreign = port("STRUCTURE", identifier="@else/where")
    assert await unpack({"__identifier": "@else/where", "object": "1"}, foreign, registry) == {
        "__identifier": "@else/where",
        "object": "1",
    }


async def test_kinds_that_only_others_host_can_be_called(registry: StructureRegistry) -> None:
    model = port(
        "MODEL",
        identifier="my_point",
        children=[ArgPort(key="x", kind=PortKind.INT), ArgPort(key="y", kind=PortKind.FLOAT, default=0.5)],
    )
    assert await pack({"x": 1}, model, registry) == {"__identifier": "my_point", "x": 1, "y": 0.5}
    assert await unpack({"__identifier": "my_point", "x": 1, "y": 2}, model, registry) == {"x": 1, "y": 2.0}
    memory = port("MEMORY_STRUCTURE", identifier="mod.mem")
    assert await pack("12", memory, registry) == {"__identifier": "mod.mem", "object": "12"}
    assert await unpack({"__identifier": "mod.mem", "object": "12"}, memory, registry) == "12"
    quantity = port("QUANTITY", reference_unit="second", proposed_units=["ms"], dimension="[time]")
    assert await pack("5 ms", quantity, registry) == "5 ms"
    seconds = await unpack("5 ms", quantity, registry)
    assert seconds.to("second").magnitude == pytest.approx(0.005)
    assert await pack(seconds, quantity, registry) == "5 millisecond"
    for wrong, told in [("5 mm", r"is no \[time\]"), (5, "a number with its unit"), ("five", "is no quantity")]:
        with pytest.raises(ArgumentError, match=told):
            await pack(wrong, quantity, registry)


async def test_a_union_takes_the_member_that_fits_without_conversion(registry: StructureRegistry) -> None:
    union = port(
        "UNION",
        children=[
            ArgPort(key=str(i), kind=kind) for i, kind in enumerate((PortKind.FLOAT, PortKind.INT, PortKind.BOOL))
        ],
        default=2.5,
    )
    for value, use in ((True, 2), (3, 1), (0.5, 0), ("4", 0)):
        assert (await pack(value, union, registry))["__use"] == use
    assert await unpack({"__use": 1, "__value": 3}, union, registry) == 3
    assert await unpack_args([union], {}, registry) == {"x": 2.5}
    with pytest.raises(ArgumentError, match="which member of the union"):
        await unpack({"__use": 9, "__value": 3}, union, registry)


async def test_rules_are_checked_before_a_call_and_before_a_body(registry: StructureRegistry) -> None:
    def bounded(a: Annotated[int, Ge(3)] = 3, b: Annotated[list[int], Len(1, 2)] = [1]) -> None: ...  # noqa: B006

    a, b = ports(bounded, registry)
    assert await pack(3, a, registry) == 3
    with pytest.raises(ArgumentError, match="must be at least 3"):
        await pack(2, a, registry)
    with pytest.raises(ArgumentError, match="must be at least 3"):
        await unpack(2, a, registry)
    with pytest.raises(ArgumentError, match="between 1 and 2 elements"):
        await pack([1, 2, 3], b, registry)


async def test_what_is_wrong_deep_inside_is_named_by_its_place(registry: StructureRegistry) -> None:
    def nested(a: dict[str, list[int]]) -> None: ...

    with pytest.raises(ArgumentError, match=r"\"a\['k'\]\[1\]\" \(INT\) got 'b' \(str\)") as caught:
        await pack({"k": [1, "b"]}, ports(nested, registry)[0], registry)
    assert caught.value.port == "..."


async def test_results_are_none_one_or_a_tuple(registry: StructureRegistry) -> None:
    def two() -> tuple[int, float]: ...  # type: ignore[empty-body]

    found = define(two, registry=registry).returns
    assert await pack_returns(found, (1, 2), registry) == {"return0": 1, "return1": 2.0}
    assert await unpack_returns(found, {"return0": 1, "return1": 2}, registry) == (1, 2.0)
    assert await unpack_returns(found[:1], {"return0": "5"}, registry) == 5
    assert await unpack_returns([], {}, registry) is None
    assert await pack_returns([], "whatever", registry) == {}
    with pytest.raises(ArgumentError, match="returns 2 values, it returned a int"):
        await pack_returns(found, 1, registry)
    with pytest.raises(ArgumentError, match=r"'return0' .* it is missing"):
        await unpack_returns(found, {}, registry)


def test_a_registry_can_be_copied_and_refuses_what_is_no_identifier(registry: StructureRegistry) -> None:
    copied = registry.copy()
    copied.register(Colour, "@test/colour", shrink=str, expand=Colour)
    assert registry.by_identifier("@test/colour") is None
    assert copied.by_type(Thing) is registry.by_type(Thing)
    with pytest.raises(TypeError, match="@package/name"):
        registry.register(Colour, "@colour", shrink=str, expand=Colour)
