"""The functions behind the fields of an SDL, and how they are attached to it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
)

from jupyter_arkitekt.server.graphql._scalars import DEFAULT_SCALARS

F = TypeVar("F", bound=Callable[..., Any])
Info = GraphQLResolveInfo[Any]
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

    def attach(self, schema: GraphQLSchema) -> None:
        """Put everything into `schema`.

        Raises
        ------
        SchemaError
            If a resolver has no field, or a root field has no resolver.
        """
        self._attach_fields(schema)
        for name, fn in self.types.items():
            abstract = schema.type_map.get(name)
            if not isinstance(abstract, GraphQLInterfaceType | GraphQLUnionType):
                raise SchemaError(f"{name} is no interface or union of the schema")
            abstract.resolve_type = _type_resolver(fn)
        for name, scalar in {**DEFAULT_SCALARS, **self.scalars}.items():
            found = schema.type_map.get(name)
            if isinstance(found, GraphQLScalarType):
                _attach_scalar(found, *scalar)
            elif name in self.scalars:
                raise SchemaError(f"{name} is no scalar of the schema")

    def _attach_fields(self, schema: GraphQLSchema) -> None:
        subscription = schema.subscription_type
        for (type_name, name), fn in self.fields.items():
            owner = schema.type_map.get(type_name)
            if not isinstance(owner, GraphQLObjectType) or name not in owner.fields:
                raise SchemaError(f"{type_name}.{name} has a resolver, but the schema has no such field")
            field = owner.fields[name]
            for argument_name, argument in field.args.items():
                argument.out_name = snake_case(argument_name)
            if owner is subscription:
                field.subscribe = _resolver(fn)
                field.resolve = _same
            else:
                field.resolve = _resolver(fn)
        missing = [
            f"{root.name}.{name}"
            for root in (schema.query_type, schema.mutation_type, schema.subscription_type)
            if root is not None
            for name, field in root.fields.items()
            if not _is_served(field)
        ]
        if missing:
            raise SchemaError(f"{len(missing)} root fields have no resolver: {', '.join(sorted(missing))}")


def _is_served(field: GraphQLField) -> bool:
    return field.resolve is not None


def _resolver(fn: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(parent: Any, info: Info, **arguments: Any) -> Any:
        info.context.spend()
        return fn(parent, info.context, **arguments)

    return resolve


def _same(value: Any, _info: Info, **_arguments: Any) -> Any:
    return value


def _type_resolver(fn: Callable[[Any], str]) -> Callable[[Any, Info, GraphQLAbstractType], str]:
    def resolve(value: Any, _info: Info, _type: GraphQLAbstractType) -> str:
        return fn(value)

    return resolve


def _attach_scalar(
    scalar: GraphQLScalarType, serialize: Callable[[Any], Any] | None, parse: Callable[[Any], Any] | None
) -> None:
    # Set on the finished schema, since an SDL has no place for functions.
    if serialize is not None:
        scalar.coerce_output_value = serialize
    if parse is not None:
        scalar.coerce_input_value = parse


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
