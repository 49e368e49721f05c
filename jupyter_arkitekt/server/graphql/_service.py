"""One service: an SDL, its resolvers, and the routes that serve both."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from jupyter_arkitekt.server.graphql._page import page
from jupyter_arkitekt.server.graphql._resolvers import Resolvers
from jupyter_arkitekt.server.platform import Platform

if TYPE_CHECKING:
    from jupyter_arkitekt.server.graphql._executor import Executor


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

    """

    def __init__(self, name: str, sdl: str, resolvers: Resolvers) -> None:
        self.name = name
        self.sdl = sdl
        self._resolvers = resolvers
        self._executor: Executor | None = None
        self._building = threading.Lock()

    @property
    def executor(self) -> Executor:
        """What runs operations. Built on first use, GraphQL's library loaded with it: that would be a third of a platform's start.

        Raises
        ------
        SchemaError
            If SDL and resolvers do not fit each other.
        """
        with self._building:
            if self._executor is None:
                from jupyter_arkitekt.server.graphql._executor import Executor
                from jupyter_arkitekt.server.graphql._schema import build

                self._executor = Executor(build(self.sdl, self._resolvers))
            return self._executor

    async def ready(self) -> Executor:
        """Return the executor without holding up the loop; raise like `executor`."""
        if self._executor is not None:
            return self._executor
        return await asyncio.to_thread(lambda: self.executor)

    def routes(self, platform: Platform) -> list[BaseRoute]:
        """Return the routes of the service on `platform`."""

        async def graphql(request: Request) -> Response:
            if request.method == "POST":
                executor = await self.ready()
                from jupyter_arkitekt.server.graphql._http import answer

                return await answer(request, executor, platform)
            return HTMLResponse(page(self.name))

        async def socket(websocket: WebSocket) -> None:
            executor = await self.ready()
            from jupyter_arkitekt.server.graphql._sockets import converse

            await converse(websocket, executor, platform)

        async def schema(_request: Request) -> Response:
            return PlainTextResponse(self.sdl)

        async def health(_request: Request) -> Response:
            return JSONResponse({"DatabaseBackend": platform.db.health()})

        async def prepare() -> None:
            await self.ready()

        platform.on_ready.append(prepare)
        base = f"/{self.name}"
        return [
            *(Route(base + path, graphql, methods=["GET", "POST"]) for path in ("/graphql", "/graphql/")),
            *(WebSocketRoute(base + path, socket) for path in ("/graphql", "/graphql/")),
            Route(base + "/schema", schema),
            Route(base + "/ht", health),
        ]
