"""Ports: what goes into an action and what comes out of it, as a form and a call understand them.

The same models are read from a deployment and sent to it. What a form never shows and a call never needs (effects,
requirements between ports) is sent as an empty list, so that a function has the hash that upstream's client gives it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from jupyter_arkitekt.models._base import WireModel
from jupyter_arkitekt.models._selection import Selection

#: How deep ports of a foreign action are asked for: a list of unions of models has three levels.
DEPTH = 3


class PortKind(StrEnum):
    """What kind of value a port takes."""

    INT = "INT"
    FLOAT = "FLOAT"
    STRING = "STRING"
    BOOL = "BOOL"
    DATE = "DATE"
    LIST = "LIST"
    DICT = "DICT"
    UNION = "UNION"
    ENUM = "ENUM"
    MODEL = "MODEL"
    STRUCTURE = "STRUCTURE"
    MEMORY_STRUCTURE = "MEMORY_STRUCTURE"
    QUANTITY = "QUANTITY"
    INTERFACE = "INTERFACE"
    UNKNOWN = "UNKNOWN"
    """A kind that a newer server knows and we do not: such a port can be listed, not filled."""

    @classmethod
    def _missing_(cls, value: object) -> PortKind | None:
        return cls.UNKNOWN if isinstance(value, str) else None


class Choice(WireModel):
    """One member of an enumeration."""

    value: Any
    label: str
    description: str | None = None


class Validator(WireModel):
    """A rule for a port's value, as the text of a JavaScript function that says whether the value is good."""

    function: str
    dependencies: list[str] | None = None
    label: str | None = None
    error_message: str | None = None


class SearchAssignWidget(WireModel):
    """Pick a thing that a service finds: `query` is run against the service named by `ward`."""

    kind: Literal["SEARCH"] = "SEARCH"
    query: str = ""
    ward: str = ""
    dependencies: list[str] | None = None


class ChoiceAssignWidget(WireModel):
    """Pick one of a few values."""

    kind: Literal["CHOICE"] = "CHOICE"
    choices: list[Choice] | None = None


class SliderAssignWidget(WireModel):
    """Pick a number between `min` and `max`."""

    kind: Literal["SLIDER"] = "SLIDER"
    min: float | None = None
    max: float | None = None
    step: float | None = None


class StringAssignWidget(WireModel):
    """Write a text, in one line or in several."""

    kind: Literal["STRING"] = "STRING"
    placeholder: str | None = None
    as_paragraph: bool | None = None


class CustomAssignWidget(WireModel):
    """A widget that only the app named by `ward` knows."""

    kind: Literal["CUSTOM"] = "CUSTOM"
    hook: str = ""
    ward: str = ""


AssignWidget = Annotated[
    SearchAssignWidget | ChoiceAssignWidget | SliderAssignWidget | StringAssignWidget | CustomAssignWidget,
    Field(discriminator="kind"),
]
"""How a port wants to be filled in. Kinds that we do not know are read as no widget at all."""

_KNOWN_WIDGETS = frozenset({"SEARCH", "CHOICE", "SLIDER", "STRING", "CUSTOM"})


def _known_widget(value: Any) -> Any:
    return None if isinstance(value, dict) and value.get("kind") not in _KNOWN_WIDGETS else value


class _Port(WireModel):
    """What argument and return ports share."""

    key: str
    kind: PortKind
    label: str | None = None
    description: str | None = None
    identifier: str | None = None
    nullable: bool = False
    default: Any = None
    choices: list[Choice] | None = None
    reference_unit: str | None = None
    proposed_units: list[str] | None = None
    dimension: str | None = None
    validators: Annotated[list[Validator], BeforeValidator(lambda value: value or [])] = Field(default_factory=list)
    effects: Annotated[list[Any], Selection(ask=False)] = Field(default_factory=list)


class ArgPort(_Port):
    """One argument of an action.

    `key` is the argument's name, ``...`` for what a list or dict holds, ``0``, ``1``, … for the members of a union.
    """

    children: Annotated[list[ArgPort] | None, Selection(depth=DEPTH)] = None
    widget: Annotated[AssignWidget | None, BeforeValidator(_known_widget)] = None


class ReturnPort(_Port):
    """One result of an action; `key` is ``return0``, ``return1``, …"""

    children: Annotated[list[ReturnPort] | None, Selection(depth=DEPTH)] = None


Port = ArgPort | ReturnPort
