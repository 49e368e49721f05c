"""Ports as they are read back: the kinds of widgets and effects, and what stands for a member that was left out."""

from __future__ import annotations

import json
from typing import Any

from jupyter_arkitekt.server.graphql import Context, Resolvers
from jupyter_arkitekt.server.rekuest._rows import Row

_WIDGETS = {
    "SEARCH": "SearchAssignWidget",
    "CHOICE": "ChoiceAssignWidget",
    "SLIDER": "SliderAssignWidget",
    "STRING": "StringAssignWidget",
    "CUSTOM": "CustomAssignWidget",
    "STATE_CHOICE": "StateChoiceAssignWidget",
    "PROXY": "ProxyWidget",
}
#: The wire has no type of its own for a return widget that another program shows.
_RETURN_WIDGETS = {"CHOICE": "ChoiceReturnWidget", "CUSTOM": "CustomReturnWidget", "PROXY": "CustomReturnWidget"}

#: The wire may leave these out when a port is defined, and must have them when it is read.
_LEFT_OUT: dict[str, dict[str, Any]] = {
    "ArgPort": {"effects": [], "validators": []},
    "ReturnPort": {"effects": []},
    "PortGroup": {"ports": [], "effects": []},
    "SearchAssignWidget": {"query": "", "ward": "", "dependencies": []},
    "StringAssignWidget": {"placeholder": "", "asParagraph": False},
    "CustomAssignWidget": {"hook": "", "ward": ""},
    "CustomReturnWidget": {"hook": "", "ward": ""},
    "StateChoiceAssignWidget": {"statePath": ""},
    "ProxyWidget": {"targetPort": "", "targetAction": ""},
    "MessageEffect": {"dependencies": [], "message": ""},
    "HideEffect": {"dependencies": [], "fade": True},
    "CustomEffect": {"dependencies": [], "hook": "", "ward": ""},
}


def register(resolvers: Resolvers) -> None:
    """Attach what concerns ports."""
    for typename, members in _LEFT_OUT.items():
        for name, instead in members.items():
            _fill(resolvers, typename, name, instead)
    resolvers.type_of("AssignWidget", lambda widget: _WIDGETS[widget["kind"]])
    resolvers.type_of("ReturnWidget", lambda widget: _RETURN_WIDGETS[widget["kind"]])
    resolvers.type_of("Effect", lambda effect: f"{effect['kind'].title()}Effect")

    @resolvers.field("Choice", "value")
    def _value(choice: Row, _ctx: Context) -> str:
        value = choice["value"]
        return value if isinstance(value, str) else json.dumps(value)


def _fill(resolvers: Resolvers, typename: str, name: str, instead: Any) -> None:
    @resolvers.field(typename, name)
    def _resolve(row: Row, _ctx: Context) -> Any:
        value = row.get(name)
        return instead if value is None else value
