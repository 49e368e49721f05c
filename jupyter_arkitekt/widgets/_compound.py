"""Fields for values of several parts: lists one line each, and JSON for whatever has no better control."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets

from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.models.rekuest import ArgPort, PortKind
from jupyter_arkitekt.widgets._field import Field, title
from jupyter_arkitekt.widgets._scalars import number, whole_number

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def one_of_lines(port: ArgPort) -> Callable[[str], Any] | None:
    """Return how a line becomes an element of a list of this kind, ``None`` when a line is not enough for one."""
    match port.kind:
        case PortKind.INT:
            return whole_number
        case PortKind.FLOAT:
            return number
        case PortKind.STRING | PortKind.QUANTITY | PortKind.STRUCTURE:
            return str
        case PortKind.BOOL:
            return _truth
        case PortKind.ENUM:
            names = [str(choice.value) for choice in port.choices or ()]
            return lambda text: _member(text, names)
    return None


class LinesField(Field):
    """A list, one element a line, so that a column of a table can be pasted."""

    def __init__(self, port: ArgPort, child: ArgPort, read_line: Callable[[str], Any]) -> None:
        self._read_line = read_line
        what = {
            PortKind.INT: "whole number",
            PortKind.FLOAT: "number",
            PortKind.BOOL: "true or false",
            PortKind.STRUCTURE: "id",
            PortKind.ENUM: "of " + ", ".join(str(choice.value) for choice in child.choices or ()),
        }.get(child.kind, "value")
        control = ipywidgets.Textarea(
            "", rows=3, placeholder="one a line", description=title(port), description_allow_html=False
        )
        super().__init__(port, control, f"One {what} a line.")

    def parse(self) -> list[Any]:
        """Return the elements; lines without any text are no elements."""
        found: list[Any] = []
        for count, line in enumerate(self.control.value.splitlines(), 1):
            if not line.strip():
                continue
            try:
                found.append(self._read_line(line.strip()))
            except ValueError as error:
                raise self.wrong(f"Line {count}: {error}") from None
        return found

    def fill(self, value: Any) -> None:
        """Type the elements, one a line."""
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise self.wrong(f"{value!r} is no list.")
        self.control.value = "\n".join(_line(one) for one in value)


class JsonField(Field):
    """A value as JSON, checked for its outer form before it is sent."""

    def __init__(self, port: ArgPort) -> None:
        self._form, example = _outer_form(port)
        control = ipywidgets.Textarea(
            "", rows=3, placeholder=example, description=title(port), description_allow_html=False
        )
        super().__init__(port, control, f"Written as JSON, such as {example}.")
        self.control.add_class("arkitekt-json")

    def parse(self) -> Any:
        """Return what the JSON says."""
        text = self.control.value.strip()
        if not text:
            raise self.required()
        try:
            value = json.loads(text, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            raise self.wrong(f"Not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
        except ValueError as error:
            raise self.wrong(f"Not JSON: {error}") from None
        if self._form is not None and not isinstance(value, self._form):
            word = "a list, in [ ]" if self._form is list else "an object, in { }"
            raise self.wrong(f"It has to be {word}.")
        return value

    def fill(self, value: Any) -> None:
        """Type `value` as JSON."""
        try:
            self.control.value = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise self.wrong(f"{value!r} cannot be written as JSON: {error}.") from None


def _outer_form(port: ArgPort) -> tuple[type | None, str]:
    if port.kind is PortKind.LIST:
        return list, "[1, 2]"
    if port.kind is PortKind.DICT:
        return dict, '{"name": 1}'
    if port.kind is PortKind.MODEL:
        return dict, "{" + ", ".join(f'"{child.key}": …' for child in port.children or ()) + "}"
    return None, '"text" or 1'


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not allowed.")


def _truth(text: str) -> bool:
    known = _TRUTH.get(text.lower())
    if known is None:
        raise ValueError(f"{text!r} is neither true nor false.")
    return known


def _member(text: str, names: list[str]) -> str:
    if text not in names:
        raise ValueError(f"{text!r} is none of {', '.join(names)}.")
    return text


def _line(one: Any) -> str:
    if isinstance(one, enum.Enum):
        return one.name
    found = getattr(one, "id", one)
    return str(found)


__all__ = ["ArgumentError", "JsonField", "LinesField", "one_of_lines"]
