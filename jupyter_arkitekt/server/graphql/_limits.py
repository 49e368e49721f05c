"""Documents that would keep the server busy are refused before they are validated.

Validation compares all fields that may answer to one name with each other, and fragments multiply: a document of a few
kilobytes can ask for millions of fields or for hours of comparisons. Three numbers are computed in one pass over the
document, fragments once each: how deep it nests, how many fields it asks for once its fragments are spread out, and how
many comparisons validation will make at most. The limits are 25 times what released clients send at most, or more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

MAX_TOKENS = 12_000
MAX_DEPTH = 32
MAX_FIELDS = 20_000
MAX_COMPARISONS = 200_000


@dataclass(slots=True)
class _Weight:
    """Weight of one selection set; `names` has for each response name how often it is asked for, and with how much."""

    depth: int = 0
    fields: int = 0
    names: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, name: str, times: int, below: int) -> None:
        before = self.names.get(name, (0, 0))
        self.names[name] = (before[0] + times, before[1] + below)

    def merge(self, other: _Weight) -> None:
        self.depth = max(self.depth, other.depth)
        self.fields += other.fields
        for name, (times, below) in other.names.items():
            self.add(name, times, below)


class _Scale:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.known: dict[str, _Weight] = {}
        self.open: set[str] = set()
        self.comparisons = 0

    def fragment(self, name: str) -> _Weight:
        known = self.known.get(name)
        if known is not None:
            return known
        definition = self.fragments.get(name)
        if definition is None or name in self.open:  # validation names these mistakes better
            return _Weight()
        self.open.add(name)
        weight = self.known[name] = self.weigh(definition.selection_set, 0)
        self.open.discard(name)
        return weight

    def weigh(self, selections: SelectionSetNode, nesting: int) -> _Weight:
        if nesting > MAX_DEPTH:
            raise GraphQLError(f"The document nests deeper than {MAX_DEPTH} levels.")
        weight = _Weight()
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                below = self.weigh(selection.selection_set, nesting + 1) if selection.selection_set else _Weight()
                weight.depth = max(weight.depth, 1 + below.depth)
                weight.fields += 1 + below.fields
                name = selection.alias.value if selection.alias else selection.name.value
                weight.add(name, 1, 1 + below.fields)
            elif isinstance(selection, InlineFragmentNode):
                weight.merge(self.weigh(selection.selection_set, nesting + 1))
            elif isinstance(selection, FragmentSpreadNode):
                weight.merge(self.fragment(selection.name.value))
        self.comparisons += sum(min(times, 1000) * below for times, below in weight.names.values() if times > 1)
        self.check(weight)
        return weight

    def check(self, weight: _Weight) -> None:
        if weight.depth > MAX_DEPTH:
            raise GraphQLError(f"The document nests deeper than {MAX_DEPTH} levels.")
        if weight.fields > MAX_FIELDS:
            raise GraphQLError(f"The document asks for more than {MAX_FIELDS} fields.")
        if self.comparisons > MAX_COMPARISONS:
            raise GraphQLError("The document asks for the same fields too many times.")


def check_limits(document: DocumentNode) -> None:
    """Refuse a document that is too heavy.

    Raises
    ------
    GraphQLError
        If it nests too deep, asks for too many fields, or repeats too many of them.
    """
    scale = _Scale(document)
    total = _Weight()
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            total.merge(scale.weigh(definition.selection_set, 0))
        elif isinstance(definition, FragmentDefinitionNode):
            scale.fragment(definition.name.value)
    scale.check(total)
