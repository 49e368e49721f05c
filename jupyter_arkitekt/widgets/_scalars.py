"""Fields for single values.

Numbers are typed into text fields: a browser's number field hands on nothing at all when what was typed is no number,
and what is not handed on can neither be explained nor kept.
"""

from __future__ import annotations

import enum
import math
from datetime import datetime
from typing import Any

import ipywidgets

from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.models.rekuest import (
    ArgPort,
    Choice,
    ChoiceAssignWidget,
    PortKind,
    SliderAssignWidget,
    StringAssignWidget,
)
from jupyter_arkitekt.widgets._field import Field, title


def whole_number(text: str) -> int:
    """Return the whole number that `text` says.

    Raises
    ------
    ValueError
        If it says none, with words for the person who typed it.
    """
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number.") from None


def number(text: str) -> float:
    """Return the number that `text` says; a decimal comma is refused rather than guessed.

    Raises
    ------
    ValueError
        If it says none, with words for the person who typed it.
    """
    try:
        value = float(text)
    except ValueError:
        advice = " Write the decimal point as '.'." if "," in text else ""
        raise ValueError(f"{text!r} is not a number.{advice}") from None
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number.")
    return value


class NumberField(Field):
    """A number, typed."""

    def __init__(self, port: ArgPort) -> None:
        self._whole = port.kind is PortKind.INT
        placeholder = "a whole number" if self._whole else "a number"
        super().__init__(port, _text(port, placeholder))

    def parse(self) -> int | float:
        """Return the number."""
        text = self.control.value.strip()
        if not text:
            raise self.required()
        try:
            return whole_number(text) if self._whole else number(text)
        except ValueError as error:
            raise self.wrong(str(error)) from None

    def fill(self, value: Any) -> None:
        """Type `value`."""
        self.control.value = str(value)


class SliderField(Field):
    """A number between two bounds."""

    def __init__(self, port: ArgPort, widget: SliderAssignWidget) -> None:
        low, high = widget.min, widget.max
        if low is None or high is None or not low < high:
            raise ValueError("a slider needs two bounds")
        self._low, self._high = low, high
        self._whole = port.kind is PortKind.INT
        traits: dict[str, Any] = {"description": title(port), "description_allow_html": False}
        if self._whole:
            low, high = math.ceil(low), math.floor(high)
            control = ipywidgets.IntSlider(low, low, high, max(1, round(widget.step or 1)), **traits)
        else:
            step = widget.step or (high - low) / 100
            digits = max(0, min(6, 1 - math.floor(math.log10(step))))
            control = ipywidgets.FloatSlider(low, min=low, max=high, step=step, readout_format=f".{digits}f", **traits)
        super().__init__(port, control, f"{low:g} to {high:g}.")

    def parse(self) -> int | float:
        """Return the number."""
        return int(self.control.value) if self._whole else float(self.control.value)

    def fill(self, value: Any) -> None:
        """Move the slider to `value`."""
        try:
            value = whole_number(str(value)) if self._whole else number(str(value))
        except ValueError as error:
            raise self.wrong(str(error)) from None
        if not self._low <= value <= self._high:
            raise self.wrong(f"{value:g} is not between {self._low:g} and {self._high:g}.")
        self.control.value = value


class TextField(Field):
    """A text in one line, or in several."""

    def __init__(self, port: ArgPort) -> None:
        widget = port.widget if isinstance(port.widget, StringAssignWidget) else StringAssignWidget()
        make = ipywidgets.Textarea if widget.as_paragraph else ipywidgets.Text
        super().__init__(port, _text(port, widget.placeholder or "", make))

    def parse(self) -> str:
        """Return the text, as it is."""
        text = str(self.control.value)
        if not text and not self.port.nullable and self.port.default is None:
            raise self.required()
        return text

    def fill(self, value: Any) -> None:
        """Type `value`."""
        self.control.value = str(value.value if isinstance(value, enum.Enum) else value)


class QuantityField(TextField):
    """A number with a unit, such as ``5 ms``; whoever calls checks the unit."""

    def __init__(self, port: ArgPort) -> None:
        units = ", ".join(port.proposed_units or ()) or port.reference_unit or ""
        self._units = units
        super().__init__(port)
        self.control.placeholder = f"a number with a unit: {units}" if units else "a number with a unit"

    def parse(self) -> str:
        """Return the text."""
        text = super().parse().strip()
        if text and not any(character.isdigit() for character in text):
            raise self.wrong(f"{text!r} is no number with a unit." + (f" Units: {self._units}." if self._units else ""))
        return text


class BoolField(Field):
    """Yes or no."""

    def __init__(self, port: ArgPort) -> None:
        super().__init__(
            port,
            ipywidgets.Checkbox(False, description=title(port), indent=False, description_allow_html=False),
        )

    def parse(self) -> bool:
        """Return whether it is ticked."""
        return bool(self.control.value)

    def fill(self, value: Any) -> None:
        """Tick or untick."""
        if not isinstance(value, bool):
            raise self.wrong(f"{value!r} is neither True nor False.")
        self.control.value = value


class ChoiceField(Field):
    """One of a few values."""

    def __init__(self, port: ArgPort, choices: list[Choice]) -> None:
        self._choices = choices
        # A choice is identified by its place: values may be of any JSON type, and two labels may be equal.
        options: list[tuple[str, int | None]] = [("Choose …", None)]
        options += [(choice.label or str(choice.value), index) for index, choice in enumerate(choices)]
        control = ipywidgets.Dropdown(options=options, index=0, description=title(port), description_allow_html=False)
        super().__init__(port, control, " ".join(_explained(choices)))

    def parse(self) -> Any:
        """Return the chosen value, which for an enumeration is the member's name."""
        if self.control.value is None:
            raise self.required()
        return self._choices[self.control.value].value

    def fill(self, value: Any) -> None:
        """Choose `value`."""
        wanted = [value.name, value.value] if isinstance(value, enum.Enum) else [value]
        for one in wanted:
            for index, choice in enumerate(self._choices):
                if choice.value == one and type(choice.value) is type(one):
                    self.control.value = index
                    return
        names = ", ".join(str(choice.value) for choice in self._choices)
        raise self.wrong(f"{wanted[0]!r} is none of {names}.")


class DateField(Field):
    """A date with a time, in the zone of the kernel."""

    def __init__(self, port: ArgPort) -> None:
        super().__init__(port, ipywidgets.DatetimePicker(description=title(port), description_allow_html=False))

    def parse(self) -> datetime:
        """Return the date, with its zone."""
        value = self.control.value
        if not isinstance(value, datetime):
            raise self.required()
        return value

    def fill(self, value: Any) -> None:
        """Set the date; text is read as ISO 8601, without a zone it is the kernel's."""
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise self.wrong(f"{value!r} is no date like 2026-01-31T12:00.") from None
        if not isinstance(value, datetime):
            raise self.wrong(f"{value!r} is no date with a time.")
        self.control.value = value if value.tzinfo else value.astimezone()


def choices_of(port: ArgPort) -> list[Choice]:
    """Return the values that a port allows, empty when it allows any."""
    if isinstance(port.widget, ChoiceAssignWidget) and port.widget.choices:
        return port.widget.choices
    return port.choices or [] if port.kind is PortKind.ENUM else []


def _explained(choices: list[Choice]) -> list[str]:
    return [f"{choice.label}: {choice.description}" for choice in choices if choice.description]


def _text(port: ArgPort, placeholder: str, make: Any = ipywidgets.Text) -> Any:
    return make("", placeholder=placeholder, description=title(port), description_allow_html=False)


__all__ = [
    "ArgumentError",
    "BoolField",
    "ChoiceField",
    "DateField",
    "NumberField",
    "QuantityField",
    "SliderField",
    "TextField",
    "choices_of",
    "number",
    "whole_number",
]
