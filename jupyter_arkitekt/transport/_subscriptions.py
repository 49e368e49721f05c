"""Subscriptions over one websocket, in the subprotocol ``graphql-ws`` (Apollo's ``subscriptions-transport-ws``)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from jupyter_arkitekt.errors import ArkitektError, AuthError, ConnectError, redact
from jupyter_arkitekt.transport._failures import Answer
from jupyter_arkitekt.transport.reconnect import Reconnect
from jupyter_arkitekt.transport.socket import connect

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

SUBPROTOCOL = "graphql-ws"

#: Seconds until the service acknowledges a new connection.
ACK_TIMEOUT = 10.0

#: Messages that one subscription may be behind before it is ended.
MAX_BEHIND = 10_000


class _Feed:
    """One subscription: what it asked for, and what has come and was not taken yet."""

    def __init__(
        self,
        document: str,
        variables: Mapping[str, Any],
        on_start: Callable[[], None] | None,
        on_resume: Callable[[], None] | None,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.document = document
        self.variables = dict(variables)
        self.on_start = on_start
        self.on_resume = on_resume
        self.started = False
        self.renewed = False
        self.queue: asyncio.Queue[Answer | ArkitektError | None] = asyncio.Queue()

    def put(self, answer: Answer) -> None:
        if self.queue.qsize() < MAX_BEHIND:
            self.queue.put_nowait(answer)
        elif self.queue.qsize() == MAX_BEHIND:
            self.queue.put_nowait(ConnectError(f"The subscription fell {MAX_BEHIND} messages behind and was ended."))


class Subscriptions:
    """All subscriptions to one service. The websocket exists while there is one, and is made again when it breaks."""

    def __init__(
        self,
        url: str,
        token: Callable[[], Awaitable[str]],
        renew: Callable[[str], Awaitable[str]] | None,
        *,
        service: str,
    ) -> None:
        self._url = url
        self._token = token
        self._renew = renew
        self._service = service
        self._who = f"{service} at {redact(url)}"
        self._feeds: dict[str, _Feed] = {}
        self._socket: ClientConnection | None = None
        self._runner: asyncio.Task[None] | None = None
        self._in_use = ""
        self._refused = ""

    async def follow(
        self,
        document: str,
        variables: Mapping[str, Any],
        on_start: Callable[[], None] | None,
        on_resume: Callable[[], None] | None,
    ) -> AsyncGenerator[Answer, None]:
        """Yield the answers to one subscription until the service completes it or the iterator is closed."""
        feed = _Feed(document, variables, on_start, on_resume)
        self._feeds[feed.id] = feed
        try:
            if self._socket is not None:
                await self._start(self._socket, feed)
            elif self._runner is None or self._runner.done():
                self._runner = asyncio.create_task(self._run(), name=f"arkitekt-subscriptions-{self._service}")
            while (item := await feed.queue.get()) is not None:
                if isinstance(item, ArkitektError):
                    raise item
                yield item
        finally:
            await self._stop(feed)

    async def aclose(self) -> None:
        """End all subscriptions and the websocket."""
        self._end_all(None)
        if self._runner is not None and not self._runner.done():
            self._runner.cancel()
            await asyncio.wait([self._runner])

    async def _run(self) -> None:
        """Keep the connection while somebody subscribes."""
        machine = Reconnect()
        try:
            while self._feeds:
                machine.connect()
                try:
                    await self._session(machine)
                except ConnectError:
                    delay = machine.lost()
                    if delay is None:
                        raise
                    await asyncio.sleep(delay)
        except ArkitektError as error:
            self._end_all(error)
        except Exception as error:
            self._end_all(ConnectError(f"The subscription to {self._who} failed: {error!r}"))
            raise

    async def _session(self, machine: Reconnect) -> None:
        """Serve one connection until nobody subscribes any more.

        Raises
        ------
        ConnectError
            If it cannot be made, or breaks.
        AuthError
            If the service refuses the token, and a fresh one as well.
        """
        from websockets.exceptions import ConnectionClosed

        self._in_use = await self._token()
        if self._in_use == self._refused and self._renew is not None:
            self._in_use = await self._renew(self._in_use)
        socket = await connect(self._url, what=self._who, subprotocols=[SUBPROTOCOL])
        try:
            await self._send(socket, {"type": "connection_init", "payload": {"token": self._in_use}})
            async with asyncio.timeout(ACK_TIMEOUT):
                await self._acknowledged(socket)
            machine.opened()
            self._socket = socket
            for feed in list(self._feeds.values()):
                await self._start(socket, feed)
            async for raw in socket:
                await self._take(socket, raw)
        except ConnectionClosed as error:
            if error.rcvd is not None and error.rcvd.code in (4401, 4403):
                self._refuse(error.rcvd.reason or "unauthorised")
            if self._feeds:
                raise ConnectError(f"{self._who} closed the subscription: {error}") from error
        except TimeoutError as error:
            raise ConnectError(f"{self._who} did not acknowledge the subscription in time.") from error
        finally:
            self._socket = None
            await socket.close()
        if self._feeds:
            raise ConnectError(f"{self._who} closed the subscription.")
        machine.close()

    async def _acknowledged(self, socket: ClientConnection) -> None:
        while True:
            message = _read(await socket.recv())
            match message.get("type"):
                case "connection_ack":
                    return
                case "connection_error":
                    self._refuse(str(message.get("payload")))
                    raise ConnectError(f"{self._who} refused the token.")
                case "ping":
                    await self._send(socket, {"type": "pong"})

    def _refuse(self, detail: str) -> None:
        """Note that the token was refused; the next connection brings a fresh one, if this was not a fresh one."""
        if self._renew is None or self._refused:
            raise AuthError(f"{self._who} refused the token of this subscription: {detail}")
        self._refused = self._in_use

    async def _take(self, socket: ClientConnection, raw: str | bytes) -> None:
        message = _read(raw)
        kind, feed, payload = message.get("type"), self._feeds.get(str(message.get("id"))), message.get("payload")
        if kind == "ping":
            await self._send(socket, {"type": "pong"})
        if feed is None:
            return
        if kind == "complete":
            feed.queue.put_nowait(None)
        elif kind in ("data", "next", "error"):
            answer = _answer(kind, payload)
            if answer.unauthenticated and self._renew is not None and not feed.renewed:
                feed.renewed = True
                self._refused = self._in_use
                await socket.close()  # the next connection brings a fresh token
                return
            feed.put(answer)
            if kind == "error":
                feed.queue.put_nowait(None)
            else:
                self._refused = ""

    async def _start(self, socket: ClientConnection, feed: _Feed) -> None:
        headers = {"Authorization": f"Bearer {self._in_use}"}
        payload = {"query": feed.document, "variables": feed.variables, "headers": headers}
        await self._send(socket, {"id": feed.id, "type": "start", "payload": payload})
        told = feed.on_resume if feed.started else feed.on_start
        feed.started = True
        if told is not None:
            told()

    async def _stop(self, feed: _Feed) -> None:
        if self._feeds.pop(feed.id, None) is None or self._socket is None:
            return
        socket = self._socket
        await self._send(socket, {"type": "stop", "id": feed.id})
        if not self._feeds:
            await socket.close()

    async def _send(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        from websockets.exceptions import ConnectionClosed

        # Whoever reads from a connection that went down finds out, and makes it again.
        with contextlib.suppress(ConnectionClosed):
            await socket.send(json.dumps(message))

    def _end_all(self, error: ArkitektError | None) -> None:
        for feed in self._feeds.values():
            feed.queue.put_nowait(error)
        self._feeds.clear()


def _read(raw: str | bytes) -> dict[str, Any]:
    try:
        message = json.loads(raw)
    except ValueError:
        message = None
    return message if isinstance(message, dict) else {}


def _answer(kind: str, payload: Any) -> Answer:
    if kind == "error":
        errors = payload if isinstance(payload, list) else [payload]
    else:
        errors = payload.get("errors") or [] if isinstance(payload, dict) else []
    data = payload.get("data") if isinstance(payload, dict) else None
    return Answer(
        status=None,
        data=data if isinstance(data, dict) else None,
        errors=[error if isinstance(error, dict) else {"message": str(error)} for error in errors],
    )
