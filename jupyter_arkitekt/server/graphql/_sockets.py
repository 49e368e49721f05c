"""GraphQL over websockets, in both dialects.

``graphql-ws`` is the older one (https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md),
which released clients speak; ``graphql-transport-ws`` the newer one
(https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md). They say the same with other words, so one
conversation serves both with a table of words each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from jupyter_arkitekt.server.graphql._context import Context
from jupyter_arkitekt.server.graphql._errors import UNAUTHENTICATED, error_dict
from jupyter_arkitekt.server.graphql._executor import Executor, Operation, Rejected
from jupyter_arkitekt.server.graphql._http import BadRequest, dumps, loads, read_request
from jupyter_arkitekt.server.http import base_url, bearer_value
from jupyter_arkitekt.server.identity import Caller, Unauthenticated
from jupyter_arkitekt.server.platform import Platform

logger = logging.getLogger("arkitekt.graphql")

#: Seconds that a client has for its first frame.
INIT_TIMEOUT = 10.0

#: Operations that may run on one socket at a time.
MAX_OPERATIONS = 256


@dataclass(frozen=True, slots=True)
class Dialect:
    """Words of one subprotocol."""

    name: str
    start: str
    stop: str
    data: str
    lists_errors: bool  # an "error" frame carries a list of errors instead of one
    codes: bool  # mistakes close the socket with a code of their own instead of a connection_error frame


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect("graphql-ws", "start", "stop", "data", lists_errors=False, codes=False),
        Dialect("graphql-transport-ws", "subscribe", "complete", "next", lists_errors=True, codes=True),
    )
}


class Hangup(Exception):  # noqa: N818 - what we do then
    """The conversation cannot go on."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Conversation:
    """One socket from its first frame to its last."""

    def __init__(self, socket: WebSocket, dialect: Dialect, executor: Executor, platform: Platform) -> None:
        self._socket = socket
        self._dialect = dialect
        self._executor = executor
        self._platform = platform
        self._token = ""
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Talk until one side hangs up; nothing of the conversation outlives it."""
        try:
            await self._greet()
            while True:
                await self._hear(await self._read())
        except WebSocketDisconnect:
            pass
        except Hangup as hangup:
            await self._hang_up(hangup)
        finally:
            running = list(self._running.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _greet(self) -> None:
        try:
            async with asyncio.timeout(INIT_TIMEOUT):
                frame = await self._read()
        except TimeoutError:
            raise Hangup(4408, "Connection initialisation timeout") from None
        if frame.get("type") != "connection_init":
            raise Hangup(4401, "Unauthorized: the first frame has to be connection_init")
        self._token = _token(frame.get("payload"), self._socket.headers)
        self._authenticate()
        await self._say("connection_ack")

    def _authenticate(self) -> Caller:
        try:
            return self._platform.identity.authenticate(self._token)
        except Unauthenticated as error:
            raise Hangup(4403, str(error)) from error

    async def _hear(self, frame: dict[str, Any]) -> None:
        kind, key = frame.get("type"), frame.get("id")
        if kind == self._dialect.start:
            if not isinstance(key, str) or not key:
                raise Hangup(4400, "an operation needs an id")
            await self._start(key, frame.get("payload"))
        elif kind == self._dialect.stop:
            task = self._running.pop(key, None) if isinstance(key, str) else None
            if task is not None:
                task.cancel()
                if not self._dialect.codes:  # the older dialect confirms a stop
                    await self._say("complete", key)
        elif kind == "ping":
            await self._say("pong")
        elif kind == "connection_terminate" and not self._dialect.codes:
            raise Hangup(1000, "")
        elif kind == "connection_init":
            raise Hangup(4429, "Too many initialisation requests")
        elif kind != "pong":
            raise Hangup(4400, "unknown type of frame")

    async def _start(self, key: str, payload: Any) -> None:
        if key in self._running:
            raise Hangup(4409, f"Subscriber for {key} already exists")
        if len(self._running) >= MAX_OPERATIONS:
            await self._fail(key, [{"message": f"more than {MAX_OPERATIONS} operations on one socket"}])
            return
        context = Context(self._authenticate(), self._platform, self._socket.headers, base_url(self._socket))
        try:
            text, variables, name = read_request(payload)
            operation = await self._executor.prepare(text, name)
        except BadRequest as error:
            await self._fail(key, [{"message": str(error)}])
        except Rejected as rejected:
            await self._fail(key, rejected.response["errors"])
        else:
            task = asyncio.create_task(self._serve(key, operation, variables, context), name=f"graphql {key}")
            self._running[key] = task

    async def _serve(self, key: str, operation: Operation, variables: dict[str, Any] | None, context: Context) -> None:
        try:
            if operation.kind == "subscription":
                async for response in self._executor.stream(operation, variables, context):
                    await self._say(self._dialect.data, key, response)
            else:
                response = await self._executor.run(operation, variables, context)
                await self._say(self._dialect.data, key, response)
            await self._say("complete", key)
        except WebSocketDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the task has no other listener than this client
            with suppress(WebSocketDisconnect):
                await self._fail(key, [error_dict(error)])
        finally:
            if self._running.get(key) is asyncio.current_task():
                del self._running[key]

    async def _fail(self, key: str, errors: list[dict[str, Any]]) -> None:
        await self._say("error", key, errors if self._dialect.lists_errors else errors[0])

    async def _read(self) -> dict[str, Any]:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if text is None:
            raise Hangup(4400, "frames are text")
        try:
            frame = loads(text)
        except BadRequest as error:
            raise Hangup(4400, "frames are JSON") from error
        if not isinstance(frame, dict):
            raise Hangup(4400, "a frame is a JSON object")
        return frame

    async def _say(self, kind: str, key: str | None = None, payload: Any = None) -> None:
        frame: dict[str, Any] = {"type": kind}
        if key is not None:
            frame["id"] = key
        if payload is not None:
            frame["payload"] = payload
        await self._socket.send_text(dumps(frame).decode())

    async def _hang_up(self, hangup: Hangup) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # the other side may have gone first
            if not self._dialect.codes and hangup.code != 1000:
                payload: dict[str, Any] = {"message": str(hangup)}
                if hangup.code in (4401, 4403):
                    payload["extensions"] = {"code": UNAUTHENTICATED}
                await self._say("connection_error", payload=payload)
            await self._socket.close(hangup.code, str(hangup))


async def converse(socket: WebSocket, executor: Executor, platform: Platform) -> None:
    """Accept `socket` in the first dialect that both sides know, and talk."""
    for name in socket.scope.get("subprotocols", ()):
        dialect = DIALECTS.get(name)
        if dialect is not None:
            await socket.accept(name)
            await Conversation(socket, dialect, executor, platform).run()
            return
    await socket.close(1002, f"offer one of the subprotocols {', '.join(DIALECTS)}")


def _token(payload: Any, headers: Mapping[str, str]) -> str:
    """Find the token in the payload of the first frame, else in the headers of the handshake."""
    if isinstance(payload, dict):
        token = payload.get("token")
        if isinstance(token, str) and token:
            return bearer_value(token)
        nested = payload.get("headers")
        for source in (payload, nested if isinstance(nested, dict) else {}):
            for key, value in source.items():
                if key.lower() == "authorization" and isinstance(value, str):
                    return bearer_value(value)
    return bearer_value(headers.get("authorization", ""))
