"""From a root field, a model and Python values to a GraphQL document and its variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic_core import to_jsonable_python

from jupyter_arkitekt.errors import ArgumentError, NotFoundError, ServerError
from jupyter_arkitekt.transport.selection import select

if TYPE_CHECKING:
    from graphql import GraphQLInputType, GraphQLObjectType, GraphQLSchema

Kind = Literal["query", "mutation", "subscription"]


def build(
    kind: Kind, field: str, model: Any, arguments: Mapping[str, Any], schema: GraphQLSchema | None
) -> tuple[str, dict[str, Any]]:
    """Return the document that asks for `field` and its variables.

    An argument that is ``None`` is left out. Names may be given in snake_case.

    Raises
    ------
    ServerError
        If the deployment does not have the field, an argument, or something that the model cannot do without.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    if schema is None:
        literals = ", ".join(f"{to_camel(name)}: {_literal(value)}" for name, value in given.items())
        return f"{kind} {{ {field}{f'({literals})' if literals else ''} {select(model)} }}", {}
    from graphql import get_named_type

    definition = _root(schema, kind).fields.get(field)
    if definition is None:
        raise NotFoundError(f"This deployment has no {kind} {field}; it may be older or newer than this package.")
    types: dict[str, str] = {}
    variables: dict[str, Any] = {}
    for given_name, value in given.items():
        name = given_name if given_name in definition.args else to_camel(given_name)
        if name not in definition.args:
            raise ServerError(
                f"The {kind} {field} of this deployment takes no argument {name}; "
                f"it takes {', '.join(definition.args) or 'none'}."
            )
        types[name] = str(definition.args[name].type)
        variables[name] = fit(jsonable(value), definition.args[name].type, name)
    declared = f"({', '.join(f'${name}: {type_}' for name, type_ in types.items())})" if types else ""
    passed = f"({', '.join(f'{name}: ${name}' for name in types)})" if types else ""
    selection = select(model, schema, get_named_type(definition.type))
    return f"{kind}{declared} {{ {field}{passed} {selection} }}", variables


def jsonable(value: Any) -> Any:
    """Return `value` as JSON types; models by their aliases, without what is ``None``.

    Raises
    ------
    ArgumentError
        If it holds something that has no JSON form.
    """
    try:
        return to_jsonable_python(value, by_alias=True, exclude_none=True, fallback=_fallback)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{type(value).__name__} cannot be sent: {error}") from error


def fit(value: Any, wanted: GraphQLInputType, where: str) -> Any:
    """Fit an input value to the deployment: drop what it does not know and what says nothing.

    Raises
    ------
    ServerError
        If the deployment does not know a key whose value says something.
    """
    from graphql import is_input_object_type, is_list_type, is_non_null_type

    if is_non_null_type(wanted):
        wanted = wanted.of_type
    if value is None:
        return None
    if is_list_type(wanted):
        return [fit(item, wanted.of_type, where) for item in value] if isinstance(value, list) else value
    if not is_input_object_type(wanted) or not isinstance(value, dict):
        return value
    fitted = {}
    for key, item in value.items():
        known = wanted.fields.get(key)
        if known is None:
            if item in (None, False, "", [], {}):
                continue
            raise ServerError(f"{where}: the type {wanted.name} of this deployment takes no {key}.")
        if item is None and is_non_null_type(known.type):
            continue  # printed as required, yet optional when the server runs: say nothing rather than null
        fitted[key] = fit(item, known.type, f"{where}.{key}")
    return fitted


def _root(schema: GraphQLSchema, kind: Kind) -> GraphQLObjectType:
    root = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }[kind]
    if root is None:
        raise NotFoundError(f"This deployment has no {kind} at all.")
    return root


def _fallback(value: Any) -> Any:
    """Turn a numpy scalar, or anything that behaves like one, into its Python value."""
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _literal(value: Any) -> str:
    """Write `value` in GraphQL's notation, for a deployment that does not tell its types."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, BaseModel):
        value = {
            (info.alias or name): getattr(value, name)
            for name, info in type(value).model_fields.items()
            if getattr(value, name) is not None
        }
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return json.dumps(jsonable(value), ensure_ascii=True)
