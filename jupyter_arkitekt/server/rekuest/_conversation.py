"""The agent socket: one conversation with one agent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from jupyter_arkitekt.server.identity import Unauthenticated
from jupyter_arkitekt.server.platform import Platform
from jupyter_arkitekt.server.rekuest._assign import assign_from_task, control_from_agent
from jupyter_arkitekt.server.rekuest._broker import Broker
from jupyter_arkitekt.server.rekuest._frames import write
from jupyter_arkitekt.server.rekuest._messages import (
    AgentMessage,
    AssignRequest,
    BadFrame,
    ControlRequest,
    HeartbeatAnswer,
    Register,
    Report,
    SessionInit,
    StatePatch,
    StateSnapshot,
    read,
)
from jupyter_arkitekt.server.rekuest._seat import Frame, Seat

logger = logging.getLogger("arkitekt.rekuest")

NO_ANSWER, BAD_FRAME, NOT_REGISTERED, BLOCKED, BUSY = 3001, 3003, 3004, 4003, 4004
#: The token is not good (any more): the agent comes back with another one.
UNAUTHENTICATED = 4001
#: Reasons are limited by RFC 6455, section 5.5.1: 125 bytes with the code.
_LONGEST_REASON = 100


class _Closing(Exception):  # noqa: N818 - ends the conversation, is no fault of ours
    def __init__(self, code: int, reason: str, *, explain: bool = True) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.explain = explain


class Conversation:
    """What one socket and the broker say to each other; the `Link` of a seat."""

    def __init__(self, websocket: WebSocket, platform: Platform) -> None:
        self._socket = websocket
        self._platform = platform
        self._broker: Broker = platform.broker
        self._wake = asyncio.Event()
        self._answered = asyncio.Event()
        self._end: asyncio.Future[_Closing] = asyncio.get_running_loop().create_future()

    def wake(self) -> None:
        """Say that frames wait to be sent."""
        self._wake.set()

    def hang_up(self, code: int, reason: str) -> None:
        """Close the socket."""
        if not self._end.done():
            self._end.set_result(_Closing(code, reason, explain=False))

    async def hold(self) -> None:
        """Talk until one side ends it."""
        seat: Seat | None = None
        said_goodbye = False
        try:
            seat = await self._greet()
            await self._talk(seat)
        except WebSocketDisconnect as gone:
            said_goodbye = gone.code in (1000, 1001)
        except _Closing as closing:
            await self._close(closing)
        except BadFrame as bad:
            logger.warning("An agent sent something wrong: %s", bad)
            await self._close(_Closing(bad.code, str(bad)))
        finally:
            if seat is not None:
                self._broker.stand_up(seat, self, said_goodbye=said_goodbye)

    async def _greet(self) -> Seat:
        try:
            async with asyncio.timeout(self._broker.timing.greeting):
                message = read(await self._receive())
        except TimeoutError:
            raise _Closing(NOT_REGISTERED, "no REGISTER came") from None
        if not isinstance(message, Register):
            raise _Closing(NOT_REGISTERED, "the first message has to be REGISTER")
        try:
            caller = self._platform.identity.authenticate(message.token)
        except Unauthenticated as error:
            raise _Closing(UNAUTHENTICATED, str(error)) from None
        seat = self._broker.seat_of(self._broker.parties.of(caller))
        if seat is None:
            raise _Closing(BAD_FRAME, "this app is no agent yet; call ensureAgent first")
        if seat.blocked:
            raise _Closing(BLOCKED, "this agent is blocked")
        session = message.session_id or str(uuid.uuid4())
        if seat.is_live(self._broker.timing) and not message.force and session != seat.session:
            raise _Closing(BUSY, f"{seat.name} is connected already from another process")
        self._broker.sit_down(seat, session, self)
        return seat

    async def _talk(self, seat: Seat) -> None:
        tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(self._listen(seat)),
            asyncio.create_task(self._send(seat)),
            asyncio.create_task(self._beat(seat)),
        ]
        try:
            ended = asyncio.create_task(self._ended())
            tasks.append(ended)
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task  # raises why it ended
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ended(self) -> None:
        raise await self._end

    async def _listen(self, seat: Seat) -> None:
        while True:
            message = read(await self._receive())
            seat.last_seen = time.time()
            self._take(seat, message)

    def _take(self, seat: Seat, message: AgentMessage | None) -> None:
        if isinstance(message, Report):
            self._broker.report(seat, message)
        elif isinstance(message, HeartbeatAnswer):
            self._answered.set()
            self._broker.alive(seat)
        elif isinstance(message, AssignRequest):
            seat.send(Frame(assign_from_task(self._platform, self._broker, seat, message), volatile=True))
        elif isinstance(message, ControlRequest):
            seat.send(Frame(control_from_agent(self._broker, seat, message), volatile=True))
        elif isinstance(message, Register):
            raise BadFrame("REGISTER came twice")
        elif isinstance(message, SessionInit):
            self._broker.states.begin(seat.id, message)
        elif isinstance(message, StatePatch):
            self._broker.states.patch(seat.id, message)
        elif isinstance(message, StateSnapshot):
            self._broker.states.snapshot(seat.id, message)
        # Locks are announcements for onlookers, and the wire has no place where one could read them.

    async def _send(self, seat: Seat) -> None:
        while True:
            self._wake.clear()
            while seat.outbox and seat.link is self:
                frame = seat.outbox.popleft()
                try:
                    await self._socket.send_text(frame.text)
                except asyncio.CancelledError:
                    # It may have arrived. A call must not run twice: the agent will be asked what became of it.
                    if frame.task is None and not frame.volatile:
                        seat.outbox.appendleft(frame)
                    raise
                except Exception:
                    if not frame.volatile:
                        seat.outbox.appendleft(frame)
                    raise
            await self._wake.wait()

    async def _beat(self, seat: Seat) -> None:
        timing = self._broker.timing
        while True:
            await asyncio.sleep(timing.heartbeat)
            self._answered.clear()
            seat.send(Frame(write("HEARTBEAT"), volatile=True))
            try:
                async with asyncio.timeout(timing.answer):
                    await self._answered.wait()
            except TimeoutError:
                raise _Closing(NO_ANSWER, "the heartbeat was not answered", explain=False) from None

    async def _receive(self) -> str | None:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        text: str | None = message.get("text")
        return text

    async def _close(self, closing: _Closing) -> None:
        # The other side may be gone already, by whatever way the server reports that.
        with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
            if self._socket.application_state is WebSocketState.CONNECTED:
                if closing.explain:
                    await self._socket.send_text(write("PROTOCOL_ERROR", error=closing.reason))
                await self._socket.close(closing.code, closing.reason[:_LONGEST_REASON])
