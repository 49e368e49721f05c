"""One field of a form: a control, what it means, and what is wrong with what was typed.

A field never changes what a person typed. What does not fit is told below the control, and stays until it fits.
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import ipywidgets

from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.models.rekuest import ArgPort
from jupyter_arkitekt.rekuest import broken_rule


def title(port: ArgPort) -> str:
    """Return the visible name of a port."""
    return port.label or port.key.replace("_", " ")


class Field(ABC):
    """A control for one port.

    Parameters
    ----------
    port
        What the value is for.
    control
        The widget that holds what is typed; it has a trait ``value``.
    hint
        What can be typed, appended to the port's description.

    Attributes
    ----------
    box
        The widget to show: control, description, error.
    """

    def __init__(self, port: ArgPort, control: Any, hint: str = "") -> None:
        self.port = port
        self.control = control
        self._checking = False
        self._writing = False
        self.none: Any = None
        about = " ".join(part for part in (_sentence(port.description), hint) if part)
        self._about = _line("arkitekt-help", about)
        self._wrong = _line("arkitekt-wrong", "")
        self._complaint = ""
        parts = [control, self._about, self._wrong]
        if port.nullable and port.default is None:
            # With a default, null means the default; only without one it means "no value".
            self.none = ipywidgets.Checkbox(True, description=f"No value for {title(port)}", indent=False)
            self.none.add_class("arkitekt-none")
            control.add_class("arkitekt-off")
            self.none.observe(self._none_ticked, "value")
            parts.insert(1, self.none)
        self.box = ipywidgets.VBox(parts)
        self.box.add_class("arkitekt-field")
        control.observe(self._typed, "value")
        if port.default is not None:
            try:
                self.write(port.default)
            except ArgumentError as error:
                # Somebody else's function may have a default that its own bounds forbid; the form still opens.
                self.complain(f"The default does not fit: {error}")

    @property
    def title(self) -> str:
        """The visible name of the field."""
        return title(self.port)

    @abstractmethod
    def parse(self) -> Any:
        """Return the control's value as Python.

        Raises
        ------
        ArgumentError
            If it does not fit.
        """

    @abstractmethod
    def fill(self, value: Any) -> None:
        """Put `value`, which is not ``None``, into the control.

        Raises
        ------
        ArgumentError
            If the control cannot hold it.
        """

    def read(self) -> Any:
        """Return the field's value, ``None`` for no value.

        Raises
        ------
        ArgumentError
            If what was typed does not fit; its ``port`` is this one's key.
        """
        if self.none is not None and self.none.value:
            return None
        value = self.parse()
        broken = broken_rule(self.port.validators, value) if self.port.validators and value is not None else None
        if broken:
            raise self.wrong(f"{broken}.")
        return value

    def write(self, value: Any) -> None:
        """Put `value` into the field, ``None`` for no value.

        Raises
        ------
        ArgumentError
            If it does not fit.
        """
        if value is None and self.none is None:
            raise self.wrong("A value is needed.")
        self._writing = True
        try:
            if value is not None:
                self.fill(value)
            if self.none is not None:
                self.none.value = value is None
        finally:
            self._writing = False

    async def settle(self) -> None:  # noqa: B027 - most fields have nobody to ask
        """Wait for what has to be asked of a server before the value is known to be good."""

    def check(self) -> bool:
        """Say what is wrong below the control, from now on with each change; return whether all is well."""
        self._checking = True
        try:
            self.read()
        except ArgumentError as error:
            self.complain(str(error))
            return False
        self.complain("")
        return True

    def complain(self, text: str) -> None:
        """Show `text` below the control; nothing when it is empty."""
        self._complaint = text
        self._wrong.value = html.escape(f"⚠ {text}") if text else ""
        self._wrong.layout.display = None if text else "none"

    @property
    def complaint(self) -> str:
        """What is told below the control now, empty when nothing is."""
        return self._complaint

    def wrong(self, text: str) -> ArgumentError:
        """Return the error of this field."""
        return ArgumentError(text, port=self.port.key)

    def required(self) -> ArgumentError:
        """Return the error of a field that was left empty."""
        return self.wrong("A value is needed.")

    def close(self) -> None:
        """Close the widgets."""
        for child in self.box.children:
            child.close()
        self.box.close()

    def _typed(self, _change: Any) -> None:
        if self.none is not None and self.none.value and not self._writing:
            self.none.value = False
        if self._checking:
            self.check()

    def _none_ticked(self, change: Any) -> None:
        if change["new"]:
            self.control.add_class("arkitekt-off")
        else:
            self.control.remove_class("arkitekt-off")
        if self._checking:
            self.check()


Maker = Callable[[ArgPort], Field]


def _sentence(text: str | None) -> str:
    text = (text or "").strip()
    return text if not text or text[-1] in ".!?:" else f"{text}."


def _line(name: str, text: str) -> Any:
    # Not a Label: that one takes what stands between two dollar signs for a formula.
    line = ipywidgets.HTML(html.escape(text), layout=ipywidgets.Layout(display=None if text else "none"))
    line.add_class(name)
    return line
