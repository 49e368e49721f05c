"""Which field a port gets."""

from __future__ import annotations

from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.models.rekuest import ArgPort, PortKind, SliderAssignWidget
from jupyter_arkitekt.widgets._compound import JsonField, LinesField, one_of_lines
from jupyter_arkitekt.widgets._field import Field
from jupyter_arkitekt.widgets._scalars import (
    BoolField,
    ChoiceField,
    DateField,
    NumberField,
    QuantityField,
    SliderField,
    TextField,
    choices_of,
)
from jupyter_arkitekt.widgets._sources import source_for
from jupyter_arkitekt.widgets._structures import IdField, PickerField


def field_for(port: ArgPort, app: AppLike) -> Field:
    """Return the field for `port`; things that live on a server are looked for through `app`."""
    choices = choices_of(port)
    if choices:
        return ChoiceField(port, choices)
    match port.kind:
        case PortKind.INT | PortKind.FLOAT:
            return _slider(port) or NumberField(port)
        case PortKind.STRING:
            return TextField(port)
        case PortKind.BOOL:
            return BoolField(port)
        case PortKind.DATE:
            return DateField(port)
        case PortKind.QUANTITY:
            return QuantityField(port)
        case PortKind.STRUCTURE:
            source = source_for(port, app)
            return PickerField(port, source) if source is not None else IdField(port)
        case PortKind.LIST:
            child = port.children[0] if port.children else None
            read_line = one_of_lines(child) if child is not None and not child.nullable else None
            return LinesField(port, child, read_line) if child and read_line else JsonField(port)
        case _:
            return JsonField(port)


def _slider(port: ArgPort) -> SliderField | None:
    widget = port.widget
    if isinstance(widget, SliderAssignWidget) and widget.min is not None and widget.max is not None:
        return SliderField(port, widget) if widget.min < widget.max else None
    return None
