"""From a pydantic model to the selection of a GraphQL query, and from there to what one deployment has.

A model names its fields once: their names are the query's fields, their types say what is selected inside. With a
schema at hand the selection is fitted to it: a field that the deployment lacks is left out when the model can do
without (it has a default); otherwise the smallest thing around it that can be left out is; and if there is none, the
query is refused before it is sent.
"""

from __future__ import annotations

import functools
import types
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from jupyter_arkitekt.errors import ServerError
from jupyter_arkitekt.models._selection import Selection

if TYPE_CHECKING:
    from graphql import GraphQLField, GraphQLNamedType, GraphQLSchema

__all__ = ["select"]

TYPENAME = "__typename"


def select(model: Any, schema: GraphQLSchema | None = None, of: GraphQLNamedType | None = None) -> str:
    """Return the selection that fills `model`, with its braces; empty when `model` is a scalar.

    Parameters
    ----------
    model
        Model class, or a list, an optional or a union of model classes, or a scalar type.
    schema
        Schema of the deployment; without it everything is asked for.
    of
        Type of the deployment that the selection is made on; the type called like the model when left out.

    Raises
    ------
    ServerError
        If the deployment lacks something that the model cannot do without.
    TypeError
        If a model contains itself and does not say how deep.
    """
    if schema is not None and of is None:
        found = _models(model)
        of = schema.type_map.get(_typenames(found[0])[0]) if found else None
    try:
        return _selection(model, schema, of)
    except _UnfitError as error:
        raise ServerError(f"This deployment cannot answer: {error}. Ask for less.") from None


@functools.lru_cache(maxsize=256)
def _selection(model: Any, schema: GraphQLSchema | None, of: GraphQLNamedType | None) -> str:
    return _Selector(schema).inside(model, of)


class _UnfitError(Exception):
    """The deployment lacks something here; whoever can do without it catches this."""


class _Selector:
    def __init__(self, schema: GraphQLSchema | None) -> None:
        self.schema = schema
        self.stack: list[type[BaseModel]] = []
        self.nested: Counter[tuple[type[BaseModel], str]] = Counter()

    def inside(self, annotation: Any, of: GraphQLNamedType | None) -> str:
        """Return the selection for a value of type `annotation`, which the deployment calls `of`."""
        from graphql import is_abstract_type, is_leaf_type

        members = _models(annotation)
        if not members:
            if of is not None and not is_leaf_type(of):
                raise TypeError(f"{of.name} is an object on the server, but {annotation!r} names no model for it.")
            return ""
        if of is not None and is_leaf_type(of):
            return ""
        fragments = len(members) > 1 or (is_abstract_type(of) and _declares_typename(members[0]))
        if not fragments:
            return self.fields(members[0], of)
        parts = [TYPENAME]
        for member in members:
            if not _declares_typename(member) and _has_typename_field(member):
                parts.append(self.fields(member, of)[2:-2])  # takes whatever type it is: its fields stand outside
            else:
                parts += self.fragments(member, of)
        if len(parts) == 1 and of is not None:
            raise _UnfitError(f"{of.name} has none of the types {', '.join(m.__name__ for m in members)}")
        return "{ " + " ".join(dict.fromkeys(parts)) + " }"

    def fragments(self, member: type[BaseModel], of: GraphQLNamedType | None) -> list[str]:
        """Return the inline fragments of one member of a union, none when the deployment has no such type."""
        from graphql import is_abstract_type

        found = []
        for name in _typenames(member):
            concrete = None
            if self.schema is not None and of is not None:
                concrete = self.schema.type_map.get(name)
                possible = concrete is of or (
                    concrete is not None and is_abstract_type(of) and self.schema.is_sub_type(of, concrete)
                )
                if not possible:
                    continue
            try:
                found.append(f"... on {name} {self.fields(member, concrete)}")
            except _UnfitError:
                continue
        return found

    def fields(self, model: type[BaseModel], of: GraphQLNamedType | None) -> str:
        parts = []
        self.stack.append(model)
        try:
            for name, info in model.model_fields.items():
                hint = next((m for m in info.metadata if isinstance(m, Selection)), Selection())
                if not hint.ask:
                    continue
                if _alias(name, info) == TYPENAME:
                    parts.append(TYPENAME)
                    continue
                try:
                    parts.append(self.field(model, name, info, hint, of))
                except _UnfitError as error:
                    if info.is_required():
                        raise _UnfitError(f"{model.__name__}.{name}: {error}") from None
        finally:
            self.stack.pop()
        return "{ " + " ".join(parts or [TYPENAME]) + " }"

    def field(
        self, model: type[BaseModel], name: str, info: FieldInfo, hint: Selection, of: GraphQLNamedType | None
    ) -> str:
        alias = _alias(name, info)
        wanted = (hint.field,) if isinstance(hint.field, str) else hint.field or (alias,)
        chosen, definition = self.choose(wanted, of)
        self.check_depth(model, name, info, hint)
        key = (model, name)
        self.nested[key] += 1
        try:
            inner = ""
            if not hint.leaf:
                from graphql import get_named_type

                inner = self.inside(info.annotation, get_named_type(definition.type) if definition else None)
        finally:
            self.nested[key] -= 1
        head = chosen if chosen == alias else f"{alias}: {chosen}"
        return f"{head}{_fit_arguments(hint.arguments, definition)}{' ' + inner if inner else ''}"

    def choose(self, wanted: tuple[str, ...], of: GraphQLNamedType | None) -> tuple[str, GraphQLField | None]:
        if of is None:
            return wanted[0], None
        fields: dict[str, GraphQLField] = getattr(of, "fields", {})
        for name in wanted:
            if name in fields:
                return name, fields[name]
        raise _UnfitError(f"the type {of.name} has no field {' or '.join(wanted)}")

    def check_depth(self, model: type[BaseModel], name: str, info: FieldInfo, hint: Selection) -> None:
        if hint.depth is not None:
            if self.nested[model, name] >= hint.depth:
                raise _UnfitError(f"nested deeper than {hint.depth}")
        elif not hint.leaf and any(inner in self.stack for inner in _models(info.annotation)):
            if info.is_required():
                raise TypeError(f"{model.__name__}.{name} contains itself: say how deep by Selection(depth=…).")
            raise _UnfitError("contains itself")


def _alias(name: str, info: FieldInfo) -> str:
    alias = info.validation_alias or info.alias
    if isinstance(alias, AliasChoices):
        alias = next((choice for choice in alias.choices if isinstance(choice, str)), None)
    return alias if isinstance(alias, str) else name


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the model classes inside optionals, lists and unions, in order."""
    if isinstance(annotation, type) and not get_args(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    if hasattr(annotation, "__value__"):  # a type alias
        return _models(annotation.__value__)
    origin = get_origin(annotation)
    if origin is Annotated:
        return _models(get_args(annotation)[0])
    if origin in (Union, types.UnionType) or (isinstance(origin, type) and not issubclass(origin, dict)):
        found: list[type[BaseModel]] = []
        for argument in get_args(annotation):
            found += [model for model in _models(argument) if model not in found]
        return found
    return []


def _typename_info(model: type[BaseModel]) -> FieldInfo | None:
    return next((info for name, info in model.model_fields.items() if _alias(name, info) == TYPENAME), None)


def _has_typename_field(model: type[BaseModel]) -> bool:
    return _typename_info(model) is not None


def _declares_typename(model: type[BaseModel]) -> bool:
    info = _typename_info(model)
    return info is not None and get_origin(info.annotation) is Literal


def _typenames(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the GraphQL types that `model` stands for: what its ``__typename`` may be, or its own name."""
    info = _typename_info(model)
    if info is not None and get_origin(info.annotation) is Literal:
        return tuple(str(name) for name in get_args(info.annotation))
    return (model.__name__,)


def _fit_arguments(arguments: str, definition: GraphQLField | None) -> str:
    if not arguments or definition is None:
        return arguments
    from graphql import FieldNode, OperationDefinitionNode, parse, print_ast

    operation = parse(f"{{ field{arguments} }}", no_location=True).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    field = operation.selection_set.selections[0]
    assert isinstance(field, FieldNode)
    kept = [print_ast(argument) for argument in field.arguments or () if argument.name.value in definition.args]
    return f"({', '.join(kept)})" if kept else ""
