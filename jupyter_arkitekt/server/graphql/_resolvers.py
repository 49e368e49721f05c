"""The functions behind the fields of an SDL, and how they are attached to it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from graphql import GraphQLAbstractType, GraphQLResolveInfo

    Info = GraphQLResolveInfo[Any]


F = TypeVar("F", bound=Callable[..., Any])
Scalar = tuple[Callable[[Any], Any] | None, Callable[[Any], Any] | None]

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@functools.cache
def snake_case(name: str) -> str:
    """Return a GraphQL name as a Python one: ``msSinceStart`` is ``ms_since_start``."""
    return _HUMP.sub("_", name).lower()


class SchemaError(Exception):
    """Resolvers and SDL do not fit each other: a mistake in the program."""


class Resolvers:
    """Resolvers of one service.

    A resolver is called as ``fn(parent, ctx, **arguments)``, with the arguments that the caller gave under their names
    in snake case; input objects are plain dicts with the keys of the SDL. It may be a plain or an async function, for a
    subscription it is an async generator whose items are the values of the field. A field without a resolver is read
    from its parent: the item or attribute of its name, else of its name in snake case.
    """

    def __init__(self) -> None:
        self.fields: dict[tuple[str, str], Callable[..., Any]] = {}
        self.types: dict[str, Callable[[Any], str]] = {}
        self.scalars: dict[str, Scalar] = {}

    def query(self, name: str) -> Callable[[F], F]:
        """Decorate the resolver of the query `name`."""
        return self.field("Query", name)

    def mutation(self, name: str) -> Callable[[F], F]:
        """Decorate the resolver of the mutation `name`."""
        return self.field("Mutation", name)

    def subscription(self, name: str) -> Callable[[F], F]:
        """Decorate the async generator of the subscription `name`."""
        return self.field("Subscription", name)

    def field(self, type_name: str, name: str) -> Callable[[F], F]:
        """Decorate the resolver of the field `name` of the type `type_name`."""

        def decorate(fn: F) -> F:
            if (type_name, name) in self.fields:
                raise SchemaError(f"{type_name}.{name} has two resolvers")
            self.fields[type_name, name] = fn
            return fn

        return decorate

    def type_of(self, abstract: str, fn: Callable[[Any], str]) -> None:
        """Let `fn` name the concrete type of a value of the interface or union `abstract`."""
        self.types[abstract] = fn

    def scalar(
        self,
        name: str,
        *,
        serialize: Callable[[Any], Any] | None = None,
        parse: Callable[[Any], Any] | None = None,
    ) -> None:
        """Let `serialize` and `parse` turn values of the scalar `name` into JSON and back; either raises if it cannot."""
        self.scalars[name] = (serialize, parse)


def resolve_default(parent: Any, info: Info, **_arguments: Any) -> Any:
    """Read a field from its parent: the item or attribute of its name, else of its name in snake case."""
    info.context.spend()
    name = info.field_name
    if isinstance(parent, Mapping):
        if name in parent:
            return parent[name]
        return parent.get(snake_case(name))
    value = getattr(parent, name, None)
    return getattr(parent, snake_case(name), None) if value is None else value


def type_name(value: Any, _info: Info, abstract: GraphQLAbstractType) -> str:
    """Name the concrete type of a value: its ``__typename`` item or attribute."""
    name = value.get("__typename") if isinstance(value, Mapping) else getattr(value, "__typename", None)
    if not isinstance(name, str):
        raise TypeError(f"a value of {abstract.name} does not say its __typename")
    return name
