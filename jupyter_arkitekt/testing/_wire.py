"""Rekuest by hand: a caller and an agent that say exactly what a test wants them to say."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from jupyter_arkitekt.testing._sign_in import manifest, sign_in

#: Seconds after which a test that waits has failed; generous, machines are busy.
DEADLINE = 30.0

Json = dict[str, Any]


def token_for(url: str, redeem_token: str, identifier: str) -> str:
    """Sign the app `identifier` in and return its access token."""
    return sign_in(url, redeem_token, manifest(identifier, "0.1.0")).token


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(DEADLINE):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


class Refused(AssertionError):  # noqa: N818 - reads as what it is
    """The service answered with errors; keeps them."""

    def __init__(self, errors: list[Json]) -> None:
        super().__init__(errors[0]["message"])
        self.code = errors[0].get("extensions", {}).get("code")


@dataclass
class Caller:
    """Somebody with a token, over GraphQL."""

    url: str
    token: str
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=DEADLINE, trust_env=False))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.http.aclose()

    async def ask(self, document: str, **variables: Any) -> Any:
        """Run `document` and return its only root field."""
        answer = await self.http.post(
            f"{self.url}/rekuest/graphql",
            json={"query": document, "variables": variables},
            headers={"Authorization": f"Bearer {self.token}"},
        )
        body = answer.json()
        if body.get("errors"):
            raise Refused(body["errors"])
        return next(iter(body["data"].values()))

    @contextlib.asynccontextmanager
    async def subscribe(self, document: str, **variables: Any) -> AsyncIterator[Listener]:
        """Follow a subscription over the older dialect."""
        address = f"{self.url.replace('http', 'ws', 1)}/rekuest/graphql"
        async with connect(address, subprotocols=[Subprotocol("graphql-ws")], proxy=None) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"token": self.token}}))
            start = {"id": "1", "type": "start", "payload": {"query": document, "variables": variables}}
            await socket.send(json.dumps(start))
            yield Listener(socket)


@dataclass
class Listener:
    """One running subscription."""

    socket: ClientConnection

    async def next(self) -> Any:
        """Return the next value of the subscription."""
        async with asyncio.timeout(DEADLINE):
            async for text in self.socket:
                frame = json.loads(text)
                if frame["type"] == "data":
                    assert not frame["payload"].get("errors"), frame
                    return next(iter(frame["payload"]["data"].values()))
                assert frame["type"] in ("connection_ack", "ka"), frame
        raise AssertionError("the subscription ended")


@dataclass
class RawAgent:
    """One connection of an agent.

    Attributes
    ----------
    skipped
        Messages that came while another kind was waited for.
    """

    socket: ClientConnection
    session: str
    skipped: list[Json] = field(default_factory=list)
    seq: int = 0

    async def send(self, kind: str, **fields: Any) -> str:
        """Send a message and return its id."""
        message_id = str(uuid.uuid4())
        await self.socket.send(json.dumps({"id": message_id, "type": kind, **fields}))
        return message_id

    async def report(self, kind: str, task: str, **fields: Any) -> str:
        """Send a report on a task and return its id."""
        self.seq += 1
        return await self.send(kind, task=task, seq=self.seq, **fields)

    async def receive(self, *kinds: str) -> Json:
        """Return the next message of one of `kinds`; heartbeats are answered, the others skipped."""
        async with asyncio.timeout(DEADLINE):
            while True:
                message: Json = json.loads(await self.socket.recv())
                if message["type"] == "HEARTBEAT" and "HEARTBEAT" not in kinds:
                    await self.send("HEARTBEAT_ANSWER")
                elif message["type"] in kinds:
                    return message
                else:
                    self.skipped.append(message)

    async def closed(self) -> int:
        """Wait until the socket is closed and return the code."""
        async with asyncio.timeout(DEADLINE):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
        assert self.socket.close_code is not None
        return self.socket.close_code

    def drop(self) -> None:
        """Break the connection without a word, as a killed process does."""
        self.socket.transport.abort()  # the polite ways all say goodbye


@contextlib.asynccontextmanager
async def agent_socket(url: str) -> AsyncIterator[ClientConnection]:
    """Open the agent socket, without a word."""
    async with connect(f"{url.replace('http', 'ws', 1)}/rekuest/agi", proxy=None, max_size=1024 * 1024) as socket:
        yield socket


@contextlib.asynccontextmanager
async def raw_agent(
    url: str, token: str, *, session: str | None = None, force: bool = False
) -> AsyncIterator[RawAgent]:
    """Register an agent that exists already."""
    async with agent_socket(url) as socket:
        agent = RawAgent(socket, session or str(uuid.uuid4()))
        await agent.send("REGISTER", token=token, force=force, session_id=agent.session)
        yield agent


def definition(key: str, *, args: list[Json] | None = None, returns: list[Json] | None = None, **more: Any) -> Json:
    """Return a ``DefinitionInput`` of a function."""
    return {
        "key": key,
        "version": "1",
        "name": key.replace("_", " ").title(),
        "kind": "FUNCTION",
        "args": args or [],
        "returns": returns or [],
        **more,
    }


def port(key: str, kind: str = "INT", **more: Any) -> Json:
    """Return an ``ArgPortInput`` or ``ReturnPortInput``."""
    return {"key": key, "kind": kind, **more}


async def offer(caller: Caller, *definitions: Json, **more: Any) -> Json:
    """Make `caller` an agent that offers `definitions`, and return the agent."""
    await caller.ask("mutation($i: AgentInput!) { ensureAgent(input: $i) { id } }", i={})
    implementations = [{"definition": one, "interface": one["key"]} | more.pop(one["key"], {}) for one in definitions]
    found: Json = await caller.ask(
        "mutation($i: ImplementAgentInput!) { implementAgent(input: $i) "
        "{ id hash name implementations { id interface action { id hash name } } } }",
        i={"implementations": implementations, "hash": "h", **more},
    )
    return found
