"""From an SDL and its resolvers to a schema that can be executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_ast_schema,
    parse,
)

from jupyter_arkitekt.server.graphql._resolvers import Resolvers, SchemaError, snake_case
from jupyter_arkitekt.server.graphql._scalars import DEFAULT_SCALARS

Info = GraphQLResolveInfo[Any]


def build(sdl: str, resolvers: Resolvers) -> GraphQLSchema:
    """Build the schema of `sdl` with `resolvers` behind its fields.

    Raises
    ------
    SchemaError
        If a resolver has no field, or a root field has no resolver.
    """
    document = parse(sdl, no_location=True)  # nobody asks where in the SDL a type stands; a fifth less to keep
    schema = build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)
    query = schema.query_type
    if query is not None and "_service" in query.fields and ("Query", "_service") not in resolvers.fields:
        resolvers.query("_service")(_sdl_of(sdl))
    _attach_fields(schema, resolvers)
    for name, fn in resolvers.types.items():
        abstract = schema.type_map.get(name)
        if not isinstance(abstract, GraphQLInterfaceType | GraphQLUnionType):
            raise SchemaError(f"{name} is no interface or union of the schema")
        abstract.resolve_type = _type_resolver(fn)
    for name, scalar in {**DEFAULT_SCALARS, **resolvers.scalars}.items():
        found = schema.type_map.get(name)
        if isinstance(found, GraphQLScalarType):
            _attach_scalar(found, *scalar)
        elif name in resolvers.scalars:
            raise SchemaError(f"{name} is no scalar of the schema")
    return schema


def _attach_fields(schema: GraphQLSchema, resolvers: Resolvers) -> None:
    subscription = schema.subscription_type
    for (type_name, name), fn in resolvers.fields.items():
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


def _sdl_of(sdl: str) -> Any:
    def service(_parent: Any, _ctx: Any) -> dict[str, str]:
        return {"sdl": sdl}

    return service
