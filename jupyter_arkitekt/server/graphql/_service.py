"""One service: an SDL, its resolvers, and the routes that serve both."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLSchema, build_ast_schema, parse
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from jupyter_arkitekt.server.graphql._executor import Executor
from jupyter_arkitekt.server.graphql._http import answer
from jupyter_arkitekt.server.graphql._page import page
from jupyter_arkitekt.server.graphql._resolvers import Resolvers
from jupyter_arkitekt.server.graphql._sockets import converse
from jupyter_arkitekt.server.platform import Platform


class Service:
    """A GraphQL service below ``/<name>``.

    Parameters
    ----------
    name
        First part of its paths.
    sdl
        The contract. Directives that it uses without declaring them (federation's) are taken as they are.
    resolvers
        What stands behind it. ``Query._service`` is answered with the SDL unless a resolver does it.

    Raises
    ------
    SchemaError
        If SDL and resolvers do not fit each other.
    """

    def __init__(self, name: str, sdl: str, resolvers: Resolvers) -> None:
        self.name = name
        self.sdl = sdl
        self.schema = _build(sdl, resolvers)
        self.executor = Executor(self.schema)

    def routes(self, platform: Platform) -> list[BaseRoute]:
        """Return the routes of the service on `platform`."""

        async def graphql(request: Request) -> Response:
            if request.method == "POST":
                return await answer(request, self.executor, platform)
            return HTMLResponse(page(self.name))

        async def socket(websocket: WebSocket) -> None:
            await converse(websocket, self.executor, platform)

        async def schema(_request: Request) -> Response:
            return PlainTextResponse(self.sdl)

        async def health(_request: Request) -> Response:
            return JSONResponse({"DatabaseBackend": platform.db.health()})

        base = f"/{self.name}"
        return [
            *(Route(base + path, graphql, methods=["GET", "POST"]) for path in ("/graphql", "/graphql/")),
            *(WebSocketRoute(base + path, socket) for path in ("/graphql", "/graphql/")),
            Route(base + "/schema", schema),
            Route(base + "/ht", health),
        ]


def _build(sdl: str, resolvers: Resolvers) -> GraphQLSchema:
    document = parse(sdl, no_location=True)  # nobody asks where in the SDL a type stands; a fifth less to keep
    schema = build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)
    query = schema.query_type
    if query is not None and "_service" in query.fields and ("Query", "_service") not in resolvers.fields:
        resolvers.query("_service")(_sdl_of(sdl))
    resolvers.attach(schema)
    return schema


def _sdl_of(sdl: str) -> Any:
    def service(_parent: Any, _ctx: Any) -> dict[str, str]:
        return {"sdl": sdl}

    return service
