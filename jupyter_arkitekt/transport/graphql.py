"""Queries, mutations and subscriptions of one GraphQL service."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from jupyter_arkitekt.errors import ArgumentError, ConnectError, DeadlineError, NotFoundError, ServerError, redact
from jupyter_arkitekt.transport import _schema
from jupyter_arkitekt.transport._failures import Answer, failure, read_answer
from jupyter_arkitekt.transport._http import client_for, load_httpx
from jupyter_arkitekt.transport._operations import Kind, build
from jupyter_arkitekt.transport._subscriptions import Subscriptions

if TYPE_CHECKING:
    from graphql import GraphQLSchema

__all__ = ["GraphQLClient", "extra_headers"]

#: Headers that go with every request made in this context, e.g. the provenance of a running task.
extra_headers: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("arkitekt_headers", default={})  # noqa: B039 - never written to

#: Seconds before each further attempt to reach a server for something that may be asked twice.
RETRIES = (0.1, 0.3)

_MUTATION = re.compile(r"(^|\})\s*mutation\b")
_FIRST_FIELD = re.compile(r"\{\s*(?:\w+\s*:\s*)?(\w+)")


@functools.lru_cache(maxsize=256)
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


class GraphQLClient:
    """A GraphQL service of a deployment.

    Its coroutines run on the background loop (`bridge`).

    Parameters
    ----------
    url
        Base URL of the service; ``/graphql`` and ``/schema`` are below it.
    token
        Gives the access token, renewed before it expires.
    service
        Name of the service in messages.
    schema_cache
        File in which the deployment's schema is kept, ``None`` to ask for it once per process.
    renew
        Gives another token than the one that was refused; without it a refusal is final.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], Awaitable[str]],
        *,
        service: str,
        schema_cache: Path | None = None,
        renew: Callable[[str], Awaitable[str]] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.service = service
        self._token = token
        self._renew = renew
        self._cache = schema_cache
        self._schema: asyncio.Future[GraphQLSchema | None] | None = None
        self._schema_is_fresh = False
        self._subscriptions = Subscriptions(f"{self.url}/graphql", token, renew, service=service)

    def __repr__(self) -> str:
        return f"<GraphQLClient {self.service} at {redact(self.url)}>"

    async def execute(
        self, document: str, variables: Mapping[str, Any] | None = None, *, idempotent: bool | None = None
    ) -> dict[str, Any]:
        """Send one operation and return its data.

        Parameters
        ----------
        document
            GraphQL document with one operation.
        variables
            Values of its variables, JSON types.
        idempotent
            Whether it may be sent twice when the connection fails; everything but a mutation when left out.

        Raises
        ------
        ConnectError, DeadlineError
            If the service cannot be reached, or does not answer in time.
        AuthError, NotFoundError, ServerError
            If it refuses.
        """
        answer = await self._answer(document, variables, idempotent)
        if not answer.ok or answer.data is None:
            raise self._failure(answer, document)
        return answer.data

    async def query(self, field: str, model: Any, **arguments: Any) -> Any:
        """Ask for the root field `field` and return it as `model`.

        Parameters
        ----------
        field
            Name of the root field.
        model
            Pydantic model class, ``list[Model]``, ``Model | None``, or a scalar type. What is asked for is derived from
            it and fitted to the deployment.
        **arguments
            Values by the argument's name, snake_case or as in the schema; ``None`` means not given. Models are sent by
            their aliases, without what is ``None`` in them.

        Raises
        ------
        NotFoundError
            If there is no such thing and `model` does not allow ``None``.
        ServerError
            If the service refuses, or answers with something else than `model`.
        """
        return await self._operate("query", field, model, arguments)

    async def mutate(self, field: str, model: Any, **arguments: Any) -> Any:
        """Do the mutation `field` and return its result as `model`; see `query`."""
        return await self._operate("mutation", field, model, arguments)

    async def subscribe(
        self,
        field: str,
        model: Any,
        *,
        on_start: Callable[[], None] | None = None,
        on_resume: Callable[[], None] | None = None,
        **arguments: Any,
    ) -> AsyncGenerator[Any, None]:
        """Yield what the subscription `field` brings, as `model`; see `query`.

        A connection that breaks is made again. What happened meanwhile is not sent by the service, so `on_resume` is
        called then: the place to look at the current state. `on_start` is called when the service was first asked, which
        it does not acknowledge. Close the iterator (``contextlib.aclosing``) to stop.

        Raises
        ------
        ConnectError
            If the connection stays broken.
        """
        document, variables = build("subscription", field, model, arguments, await self.schema())
        adapter = _adapter(model)
        async with contextlib.aclosing(self._subscriptions.follow(document, variables, on_start, on_resume)) as answers:
            async for answer in answers:
                if not answer.ok or answer.data is None:
                    raise self._failure(answer, document)
                yield self._parse(field, adapter, answer.data)

    async def schema(self) -> GraphQLSchema | None:
        """Return the deployment's schema, ``None`` when it does not tell."""
        if self._schema is None:
            self._schema = asyncio.ensure_future(self._load_schema())
        try:
            return await asyncio.shield(self._schema)
        except ConnectError:
            self._schema = None  # the next one asks again
            raise

    async def has(self, field: str, kind: Kind = "query") -> bool:
        """Say whether the deployment has the root field `field`; ``True`` when it does not tell its schema."""
        schema = await self.schema()
        if schema is None:
            return True
        root = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
        found = root[kind]
        return found is not None and field in found.fields

    async def aclose(self) -> None:
        """End all subscriptions."""
        await self._subscriptions.aclose()
        if self._schema is not None and not self._schema.done():
            self._schema.cancel()

    async def _operate(self, kind: Kind, field: str, model: Any, arguments: dict[str, Any]) -> Any:
        document, variables = build(kind, field, model, arguments, await self.schema())
        answer = await self._answer(document, variables, kind == "query")
        if answer.misfit and not self._schema_is_fresh:
            # The deployment was upgraded since its schema was kept. Nothing was executed.
            self._forget_schema()
            document, variables = build(kind, field, model, arguments, await self.schema())
            answer = await self._answer(document, variables, kind == "query")
        if not answer.ok or answer.data is None:
            raise self._failure(answer, document)
        return self._parse(field, _adapter(model), answer.data)

    def _parse(self, field: str, adapter: TypeAdapter[Any], data: dict[str, Any]) -> Any:
        value = data.get(field)
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            if value is None:
                raise NotFoundError(
                    f"{self.service} at {redact(self.url)} has no such {field}.", path=(field,)
                ) from None
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in (field, *first["loc"]))
            raise ServerError(
                f"{self.service} at {redact(self.url)} answered {field} with something unexpected "
                f"({where}: {first['msg']}).",
                path=(field,),
                detail=str(error),
            ) from error

    async def _answer(self, document: str, variables: Mapping[str, Any] | None, idempotent: bool | None) -> Answer:
        if idempotent is None:
            idempotent = _MUTATION.search(document) is None
        try:
            body = json.dumps({"query": document, "variables": dict(variables or {})}, allow_nan=False).encode()
        except ValueError as error:
            raise ArgumentError(
                f"A value cannot be sent as JSON: {error}. Infinity and NaN have no form there."
            ) from error
        token = await self._token()
        answer = await self._post(body, token, idempotent)
        if answer.unauthenticated and self._renew is not None:
            answer = await self._post(body, await self._renew(token), idempotent)
        return answer

    async def _post(self, body: bytes, token: str, idempotent: bool) -> Answer:
        load_httpx()
        import httpx

        url = f"{self.url}/graphql"
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", **extra_headers.get()}
        waits = iter(RETRIES if idempotent else ())
        while True:
            try:
                answer = await client_for(url).post(url, content=body, headers=headers)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.RemoteProtocolError, httpx.ReadError) as error:
                wait = next(waits, None)
                if wait is None:
                    raise ConnectError(
                        f"{self.service} at {redact(self.url)} does not answer ({str(error) or type(error).__name__}). "
                        "Is the server running? `arkitekt status` looks after the local one."
                    ) from error
                await asyncio.sleep(wait)
            except httpx.TimeoutException as error:
                raise DeadlineError(
                    f"{self.service} at {redact(self.url)} did not answer in time ({type(error).__name__})."
                ) from error
            except httpx.HTTPError as error:
                raise ConnectError(f"{self.service} at {redact(self.url)} cannot be reached: {error}") from error
            else:
                return read_answer(answer.status_code, answer.content)

    def _failure(self, answer: Answer, document: str) -> ServerError:
        named = _FIRST_FIELD.search(document)
        return failure(answer, service=self.service, url=self.url, asked=named.group(1) if named else "the operation")

    async def _load_schema(self) -> GraphQLSchema | None:
        if self._cache is not None:
            kept = await asyncio.to_thread(_schema.read, self._cache)
            if kept is not None:
                return kept
        self._schema_is_fresh = True
        sdl = await self._ask_for_schema()
        if sdl is None:
            return None
        schema = await asyncio.to_thread(_schema.parse_schema, sdl)
        if self._cache is not None:
            await asyncio.to_thread(_schema.keep, self._cache, sdl)
        return schema

    def _forget_schema(self) -> None:
        if self._cache is not None:
            _schema.forget(self._cache)
        self._schema = None

    async def _ask_for_schema(self) -> str | None:
        """Return the schema's text as the service prints it, else as its introspection tells, else ``None``."""
        load_httpx()
        import httpx

        url = f"{self.url}/schema"
        try:
            answer = await client_for(url).get(url)
        except httpx.HTTPError as error:
            raise ConnectError(
                f"{self.service} at {redact(self.url)} does not answer ({str(error) or type(error).__name__}). "
                "Is the server running? `arkitekt status` looks after the local one."
            ) from error
        if answer.status_code == 200:
            try:
                await asyncio.to_thread(_schema.parse_schema, answer.text)
            except ValueError:
                pass  # a page for people, say: the introspection is asked instead
            else:
                return answer.text
        return await self._introspect()

    async def _introspect(self) -> str | None:
        from graphql import build_client_schema, get_introspection_query, print_schema

        answer = await self._answer(get_introspection_query(descriptions=False), None, True)
        if not answer.ok or answer.data is None:
            return None
        return print_schema(build_client_schema(answer.data))  # type: ignore[arg-type]  # a mapping from the wire
