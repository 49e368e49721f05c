"""The route of the agent socket.

What an agent may say is described by models, and the library that checks them takes a good part of a start. It is loaded
when the first agent comes.
"""

from __future__ import annotations

import asyncio
from importlib import import_module

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from jupyter_arkitekt.server.platform import Platform


def routes(platform: Platform) -> list[BaseRoute]:
    """Return the route of the agent socket."""

    async def agi(websocket: WebSocket) -> None:
        room = await asyncio.to_thread(import_module, "jupyter_arkitekt.server.rekuest._conversation")
        await websocket.accept()
        await room.Conversation(websocket, platform).hold()

    return [WebSocketRoute("/rekuest/agi", agi)]
