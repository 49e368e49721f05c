"""Structures: things that stay where they are and travel as an id.

A class becomes a port of kind STRUCTURE when somebody has said how its objects shrink to an id and how an id expands to
an object again. Rooms that do not know each other meet here. `structures` is the registry that everybody uses;
a test takes a `copy` of it.
"""

from __future__ import annotations

import enum
import functools
import inspect
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, get_args

from jupyter_arkitekt.errors import DefinitionError
from jupyter_arkitekt.models.rekuest import Choice

__all__ = ["Structure", "StructureRegistry", "structures"]

Shrink = Callable[[Any], str | Awaitable[str]]
Expand = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Structure:
    """How objects of a class travel.

    Attributes
    ----------
    cls
        The class.
    identifier
        Name on the wire, ``@package/name``.
    shrink
        Function or coroutine function from an object to its id.
    expand
        Function or coroutine function from an id to an object.
    search
        GraphQL document that finds such things for a form; its root field is aliased ``options`` and selects ``value``
        and ``label``.
    ward
        Service that answers `search`.
    """

    cls: type
    identifier: str
    shrink: Shrink
    expand: Expand
    search: str | None = None
    ward: str | None = None

    async def to_id(self, value: Any) -> str:
        """Return the id of `value`."""
        found = self.shrink(value)
        return str(await found if inspect.isawaitable(found) else found)

    async def to_object(self, id: str) -> Any:  # noqa: A002 - what it is called everywhere
        """Return the object with `id`."""
        found = self.expand(id)
        return await found if inspect.isawaitable(found) else found


class StructureRegistry:
    """Classes and enumerations by their names on the wire."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_type: dict[type, Structure] = {}
        self._by_identifier: dict[str, Structure] = {}
        self._members: dict[str, dict[str, Any]] = {}

    def register(
        self,
        cls: type,
        identifier: str,
        *,
        shrink: Shrink,
        expand: Expand,
        search: str | None = None,
        ward: str | None = None,
    ) -> Structure:
        """Say how objects of `cls` travel; an identifier that is known already is replaced.

        Raises
        ------
        DefinitionError
            If `identifier` is not of the form ``@package/name``.
        """
        if not identifier or ("@" in identifier and "/" not in identifier):
            raise DefinitionError(f"{identifier!r} is no identifier of a structure. Write it as '@package/name'.")
        made = Structure(cls, identifier, shrink, expand, search, ward)
        with self._lock:
            before = self._by_identifier.get(identifier)
            if before is not None:
                self._by_type.pop(before.cls, None)
            self._by_type[cls] = made
            self._by_identifier[identifier] = made
        return made

    def by_type(self, cls: type) -> Structure | None:
        """Return how objects of `cls` or of its nearest known base travel.

        A class that says it itself (``get_identifier``, ``ashrink`` and ``aexpand``) is registered on the way. Where
        nothing is known, installed packages are asked first: each may name a function that registers its structures,
        as an entry point of the group ``jupyter_arkitekt.structures``.
        """
        if cls.__module__ == "builtins":
            return None
        found = self._known(cls)
        if found is not None:
            return found
        if self is structures and _load_entry_points():
            found = self._known(cls)
            if found is not None:
                return found
        if all(callable(getattr(cls, name, None)) for name in ("get_identifier", "ashrink", "aexpand")):
            known: Any = cls
            return self.register(
                cls, known.get_identifier(), shrink=lambda value: value.ashrink(), expand=known.aexpand
            )
        return None

    def _known(self, cls: type) -> Structure | None:
        return next((found for base in cls.__mro__ if (found := self._by_type.get(base)) is not None), None)

    def by_identifier(self, identifier: str) -> Structure | None:
        """Return the structure named `identifier` on the wire."""
        found = self._by_identifier.get(identifier)
        if found is None and self is structures and _load_entry_points():
            found = self._by_identifier.get(identifier)
        return found

    def enumerate(self, hint: Any) -> tuple[str, list[Choice]]:
        """Register an ``Enum`` class or a ``Literal`` and return its identifier and choices."""
        members: dict[str, Any]
        if inspect.isclass(hint) and issubclass(hint, enum.Enum):
            identifier = f"{hint.__module__}.{hint.__qualname__.rpartition('.')[2]}".lower()
            members = dict(hint.__members__)
        else:
            values = [value.name if isinstance(value, enum.Enum) else value for value in get_args(hint)]
            identifier = "literal." + "_".join(str(value) for value in values)
            members = {str(name): value for name, value in zip(values, get_args(hint), strict=True)}
        with self._lock:
            self._members[identifier] = members
        return identifier, [Choice(value=name, label=name) for name in members]

    def members(self, identifier: str | None) -> dict[str, Any] | None:
        """Return the members of an enumeration that is known here, by name."""
        return self._members.get(identifier or "")

    def copy(self) -> StructureRegistry:
        """Return a registry that starts with what this one has."""
        other = StructureRegistry()
        with self._lock:
            other._by_type = dict(self._by_type)
            other._by_identifier = dict(self._by_identifier)
            other._members = dict(self._members)
        return other


structures = StructureRegistry()
"""The registry that everybody uses unless they bring their own."""


@functools.cache
def _load_entry_points() -> bool:
    """Let installed packages register their structures, once; say whether there was one."""
    found = entry_points(group="jupyter_arkitekt.structures")
    for point in found:
        point.load()()
    return bool(found)
