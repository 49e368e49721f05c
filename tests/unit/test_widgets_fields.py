"""Fields of a form: what may be typed, what is told when it does not fit, and that nothing typed is lost."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Any

import pytest

from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.models.rekuest import (
    ArgPort,
    Choice,
    ChoiceAssignWidget,
    PortKind,
    SliderAssignWidget,
    StringAssignWidget,
    Validator,
)
from jupyter_arkitekt.widgets._compound import JsonField, LinesField
from jupyter_arkitekt.widgets._field import Field
from jupyter_arkitekt.widgets._fields import field_for
from jupyter_arkitekt.widgets._scalars import NumberField, SliderField


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class NoApp:
    """Fields that never ask a server do not touch their app."""


def field(kind: PortKind, key: str = "value", **more: Any) -> Field:
    return field_for(ArgPort(key=key, kind=kind, **more), NoApp())  # type: ignore[arg-type]  # see NoApp


def child(kind: PortKind, **more: Any) -> list[ArgPort]:
    return [ArgPort(key="...", kind=kind, **more)]


COLOURS = [Choice(value="RED", label="RED"), Choice(value="GREEN", label="GREEN")]

TYPED: dict[str, tuple[Field, Any, Any]] = {
    "a whole number": (field(PortKind.INT), " 12 ", 12),
    "a number": (field(PortKind.FLOAT), "1e-3", 0.001),
    "a text keeps its blanks": (field(PortKind.STRING), " a ", " a "),
    "a paragraph": (field(PortKind.STRING, widget=StringAssignWidget(as_paragraph=True)), "a\nb", "a\nb"),
    "a quantity": (field(PortKind.QUANTITY, reference_unit="second"), "5 ms", "5 ms"),
    "a tick": (field(PortKind.BOOL), True, True),
    "the second colour": (field(PortKind.ENUM, choices=COLOURS), 1, "GREEN"),
    "numbers, one a line": (field(PortKind.LIST, children=child(PortKind.FLOAT)), "1\n\n 2.5 \n", [1.0, 2.5]),
    "texts, one a line": (field(PortKind.LIST, children=child(PortKind.STRING)), "a b\nc", ["a b", "c"]),
    "truths, one a line": (field(PortKind.LIST, children=child(PortKind.BOOL)), "yes\nFalse", [True, False]),
    "colours, one a line": (
        field(PortKind.LIST, children=child(PortKind.ENUM, choices=COLOURS)),
        "RED\nRED",
        ["RED", "RED"],
    ),
    "lists of lists as JSON": (
        field(PortKind.LIST, children=child(PortKind.LIST, children=child(PortKind.INT))),
        "[[1], []]",
        [[1], []],
    ),
    "a dict as JSON": (field(PortKind.DICT, children=child(PortKind.INT)), '{"a": 1}', {"a": 1}),
    "a union as JSON": (field(PortKind.UNION, children=child(PortKind.INT)), "3", 3),
    "a kind that we do not know as JSON": (field(PortKind.UNKNOWN), '"x"', "x"),
    "the id of a thing": (field(PortKind.STRUCTURE, identifier="@other/thing"), " 17 ", "17"),
    "a choice of any port": (
        field(PortKind.INT, widget=ChoiceAssignWidget(choices=[Choice(value=4, label="four")])),
        0,
        4,
    ),
}


@pytest.mark.parametrize("name", TYPED)
def test_what_is_typed_is_read(name: str) -> None:
    made, typed, value = TYPED[name]
    made.control.value = typed
    assert made.check()
    assert made.read() == value
    assert made.complaint == ""


WRONG: dict[str, tuple[Field, str, str]] = {
    "letters for a whole number": (field(PortKind.INT), "twelve", "'twelve' is not a whole number."),
    "a fraction for a whole number": (field(PortKind.INT), "1.5", "whole number"),
    "a decimal comma": (field(PortKind.FLOAT), "0,5", "Write the decimal point as '.'"),
    "infinity": (field(PortKind.FLOAT), "inf", "not a finite number"),
    "nothing": (field(PortKind.FLOAT), "", "A value is needed."),
    "no unit's number": (field(PortKind.QUANTITY, proposed_units=["ms", "s"]), "fast", "Units: ms, s"),
    "one bad line of many": (field(PortKind.LIST, children=child(PortKind.INT)), "1\n2\nx", "Line 3: 'x' is not"),
    "a stranger in a list of colours": (
        field(PortKind.LIST, children=child(PortKind.ENUM, choices=COLOURS)),
        "PINK",
        "'PINK' is none of RED, GREEN",
    ),
    "broken JSON": (field(PortKind.DICT, children=child(PortKind.INT)), '{"a": }', "line 1, column 7"),
    "JSON of another form": (field(PortKind.DICT, children=child(PortKind.INT)), "[1]", "an object, in { }"),
    "a number that JSON lacks": (field(PortKind.UNKNOWN), "NaN", "NaN is not allowed"),
    "a number beyond its bound": (
        field(PortKind.FLOAT, validators=[Validator(function="(x) => x > 0", error_message="Must be greater than 0")]),
        "-1",
        "Must be greater than 0.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_told_at_its_field_and_kept(name: str) -> None:
    made, typed, told = WRONG[name]
    made.control.value = typed
    assert not made.check()
    assert told in made.complaint
    assert made.control.value == typed
    with pytest.raises(ArgumentError) as error:
        made.read()
    assert error.value.port == "value"


def test_a_complaint_goes_away_as_soon_as_the_value_fits() -> None:
    made = field(PortKind.INT)
    assert made.complaint == ""
    made.control.value = "1."
    assert made.complaint == "", "nobody is told that a number is not finished while typing it for the first time"
    assert not made.check()
    made.control.value = "1"
    assert made.complaint == ""


def test_no_value_is_not_zero() -> None:
    made = field(PortKind.FLOAT, nullable=True)
    assert made.read() is None
    made.control.value = "0"
    assert made.read() == 0.0
    made.none.value = True
    assert made.read() is None
    assert made.control.value == "0", "what was typed stays"
    made.write(2)
    assert made.read() == 2.0
    made.write(None)
    assert made.read() is None


def test_a_default_is_where_a_field_starts_and_leaves_no_choice_of_none() -> None:
    made = field(PortKind.FLOAT, nullable=True, default=2.0)
    assert made.none is None
    assert made.read() == 2.0
    with pytest.raises(ArgumentError):
        made.write(None)


def test_a_default_that_does_not_fit_is_told_and_the_form_still_opens() -> None:
    made = field(PortKind.INT, default=99, widget=SliderAssignWidget(min=0, max=10))
    assert "99 is not between 0 and 10" in made.complaint


def test_two_bounds_are_a_slider_of_the_ports_kind() -> None:
    whole = field(PortKind.INT, default=3, widget=SliderAssignWidget(min=0, max=10, step=1))
    real = field(PortKind.FLOAT, widget=SliderAssignWidget(min=0, max=1))
    assert isinstance(whole, SliderField)
    assert (whole.read(), type(whole.read())) == (3, int)
    assert (real.read(), type(real.read())) == (0.0, float)
    with pytest.raises(ArgumentError, match="not between"):
        real.write(3)
    assert isinstance(field(PortKind.INT, widget=SliderAssignWidget(min=3, max=3)), NumberField)


def test_a_member_of_an_enum_is_chosen_by_member_by_name_and_by_nothing_else() -> None:
    made = field(PortKind.ENUM, choices=COLOURS)
    with pytest.raises(ArgumentError, match="needed"):
        made.read()
    made.write(Colour.GREEN)
    assert made.read() == "GREEN"
    made.write("RED")
    assert made.read() == "RED"
    with pytest.raises(ArgumentError, match="none of RED, GREEN"):
        made.write("PINK")
    assert made.read() == "RED"


def test_a_date_has_a_zone() -> None:
    made = field(PortKind.DATE)
    made.write("2026-01-31T12:00:00+00:00")
    assert made.read() == datetime(2026, 1, 31, 12, tzinfo=UTC)
    made.write(datetime(2026, 1, 31, 12))  # noqa: DTZ001 - a date without a zone is what is tested
    assert made.read().tzinfo is not None
    with pytest.raises(ArgumentError, match="is no date"):
        made.write("tomorrow")


def test_lists_and_json_can_be_filled_from_python() -> None:
    lines = field(PortKind.LIST, children=child(PortKind.INT))
    assert isinstance(lines, LinesField)
    lines.write([1, 2])
    assert (lines.control.value, lines.read()) == ("1\n2", [1, 2])
    with pytest.raises(ArgumentError, match="no list"):
        lines.write("12")
    text = field(PortKind.DICT, children=child(PortKind.STRING))
    assert isinstance(text, JsonField)
    text.write({"ä": "ö"})
    assert text.read() == {"ä": "ö"}
    with pytest.raises(ArgumentError, match="as JSON"):
        text.write({"a": object()})


def test_words_of_others_are_never_markup() -> None:
    made = field(PortKind.INT, key="a_b", label="<img src=x onerror=alert(1)>", description="<script>alert(1)</script>")
    assert made.control.description == "<img src=x onerror=alert(1)>"
    assert made.control.description_allow_html is False
    texts = [part.value for part in made.box.children if part is not made.control]
    assert any("&lt;script&gt;" in text for text in texts)
    made.complain("<b>")
    assert not any("<" in part.value for part in made.box.children if part is not made.control)
