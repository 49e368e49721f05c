"""Fields for things that live on a server and travel as an id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.models.rekuest import ArgPort
from jupyter_arkitekt.widgets._field import Field, title
from jupyter_arkitekt.widgets._picker import Picker, Source
from jupyter_arkitekt.widgets._scalars import TextField


def id_of(value: Any) -> str:
    """Return the id of a thing: of an object that has one, of the wire's envelope, or the id itself."""
    if isinstance(value, Mapping):
        value = value.get("object", "")
    return str(getattr(value, "id", value))


class IdField(TextField):
    """The id of a thing that cannot be searched for from here."""

    def __init__(self, port: ArgPort) -> None:
        super().__init__(port)
        self.control.placeholder = f"id of a {port.identifier}"

    def parse(self) -> str:
        """Return the id."""
        found = super().parse().strip()
        if not found:
            raise self.required()
        return found

    def fill(self, value: Any) -> None:
        """Type the id of `value`."""
        self.control.value = id_of(value)


class PickerField(Field):
    """A thing that can be searched for."""

    def __init__(self, port: ArgPort, source: Source) -> None:
        super().__init__(port, Picker(source, title(port)))
        self.control.observe(self._problem_known, "problem")

    def parse(self) -> str:
        """Return the id of what was picked."""
        if not self.control.value:
            raise self.required()
        if self.control.problem:
            raise self.wrong(self.control.problem)
        return str(self.control.value)

    def fill(self, value: Any) -> None:
        """Pick `value`, an object or its id."""
        self.control.value = id_of(value)

    async def settle(self) -> None:
        """Wait until the id is known to exist."""
        try:
            await self.control.settle()
        except ArgumentError as error:
            raise self.wrong(str(error)) from None

    def complain(self, text: str) -> None:
        """Show `text` below the control, and mark it."""
        self.control.invalid = bool(text)
        super().complain(text)

    def _problem_known(self, change: Any) -> None:
        # An id that does not exist is told at once: nobody presses Run to learn that.
        self.complain(str(change["new"]))
