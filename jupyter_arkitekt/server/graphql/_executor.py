"""Running operations over one schema, with parsed and validated documents kept for the next time.

Parsing and validating a document of a released client takes some 10 ms, running it 1 ms, and clients send the same few
dozen documents for ever.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    execute,
    parse,
    subscribe,
    validate,
)

from jupyter_arkitekt.server.graphql._context import MAX_RESOLVED, Context
from jupyter_arkitekt.server.graphql._errors import error_dict, error_dicts
from jupyter_arkitekt.server.graphql._limits import MAX_TOKENS, check_limits
from jupyter_arkitekt.server.graphql._resolvers import resolve_default, type_name

#: Documents kept, and the longest one that is kept, in characters.
KEPT = 512
LONGEST_KEPT = 64_000

#: Documents up to this many characters are prepared on the loop: a thread would let a request that was sent after a
#: subscription overtake it.
INLINE = 32_000


class Rejected(Exception):  # noqa: N818 - the state of a document
    """A document that cannot be run; `response` says why, in the shape of a response."""

    def __init__(self, response: dict[str, Any]) -> None:
        super().__init__("document rejected")
        self.response = response


@dataclass(frozen=True, slots=True)
class Operation:
    """A document that may be run, and which of its operations is meant."""

    document: DocumentNode
    name: str | None
    kind: str  # query, mutation, subscription


class Executor:
    """Runs operations over `schema`."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._kept: OrderedDict[str, DocumentNode] = OrderedDict()

    async def prepare(self, text: str, name: str | None) -> Operation:
        """Parse and validate `text` and choose the operation `name`.

        Raises
        ------
        Rejected
            If it is no valid document for this schema, too heavy, or has no such operation.
        """
        document = self._kept.get(text)
        if document is not None:
            self._kept.move_to_end(text)
        else:
            try:
                document = self._check(text) if len(text) <= INLINE else await asyncio.to_thread(self._check, text)
            except GraphQLError as error:
                raise Rejected({"data": None, "errors": [error_dict(error)]}) from error
            if len(text) <= LONGEST_KEPT:
                self._kept[text] = document
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        operations = {
            definition.name.value if definition.name else "": definition.operation.value
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
        }
        if name and name not in operations:
            raise Rejected({"data": None, "errors": [{"message": f"The document has no operation named {name!r}."}]})
        if not name and len(operations) != 1:
            raise Rejected({"data": None, "errors": [{"message": "Name the operation to run by operationName."}]})
        kind = operations[name] if name else next(iter(operations.values()))
        return Operation(document, name or None, kind)

    async def run(self, operation: Operation, variables: dict[str, Any] | None, context: Context) -> dict[str, Any]:
        """Run a query or a mutation and return the response."""
        result = execute(
            self.schema,
            operation.document,
            context_value=context,
            variable_values=variables,
            operation_name=operation.name,
            field_resolver=resolve_default,
            type_resolver=type_name,
        )
        if inspect.isawaitable(result):
            result = await result
        assert isinstance(result, ExecutionResult)
        return _response(result)

    async def stream(
        self, operation: Operation, variables: dict[str, Any] | None, context: Context
    ) -> AsyncIterator[dict[str, Any]]:
        """Run a subscription and yield its responses; one with errors is the last."""
        stream = subscribe(
            self.schema,
            operation.document,
            context_value=context,
            variable_values=variables,
            operation_name=operation.name,
            field_resolver=resolve_default,
            type_resolver=type_name,
        )
        if inspect.isawaitable(stream):
            stream = await stream
        if isinstance(stream, ExecutionResult):
            yield _response(stream)
            return
        try:
            async for result in stream:
                context.fields_left = MAX_RESOLVED
                yield _response(result)
        except Exception as error:  # noqa: BLE001 - a resolver's generator may raise anything; the caller is told
            yield {"data": None, "errors": [error_dict(error)]}
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    def _check(self, text: str) -> DocumentNode:
        try:
            document = parse(text, max_tokens=MAX_TOKENS)
            check_limits(document)
        except RecursionError:
            raise GraphQLError("The document nests too deep.") from None
        errors = validate(self.schema, document, max_errors=20)
        if errors:
            raise Rejected({"data": None, "errors": error_dicts(errors)})
        return document


def _response(result: ExecutionResult) -> dict[str, Any]:
    response: dict[str, Any] = {"data": result.data}
    if result.errors:
        response["errors"] = error_dicts(result.errors)
    return response
