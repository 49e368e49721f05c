"""Live faces in the notebook: the sign-in card, the task card and the form."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_arkitekt.widgets._form import Form, aform, form
    from jupyter_arkitekt.widgets._login import LoginCard
    from jupyter_arkitekt.widgets._picker import Picker
    from jupyter_arkitekt.widgets._task import TaskCard

__all__ = ["Form", "LoginCard", "Picker", "TaskCard", "aform", "form"]

_HOMES = {
    "Form": "_form",
    "LoginCard": "_login",
    "Picker": "_picker",
    "TaskCard": "_task",
    "aform": "_form",
    "form": "_form",
}


def __getattr__(name: str) -> Any:
    # ipywidgets takes a tenth of a second; whoever only signs in does without the form.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
