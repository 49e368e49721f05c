"""An agent: the part of an app that hosts functions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from jupyter_arkitekt import bridge
from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.errors import ArkitektError, CallError, ConnectError, DeadlineError, ServerError
from jupyter_arkitekt.models import _messages as m
from jupyter_arkitekt.models import rekuest as words
from jupyter_arkitekt.rekuest._assignment import Assignment
from jupyter_arkitekt.rekuest._functions import FunctionRegistry, functions, offer_of
from jupyter_arkitekt.rekuest._nested import Children, Nested
from jupyter_arkitekt.rekuest._protocol import (
    Active,
    AgentProtocol,
    AgentState,
    Drop,
    Effect,
    Ended,
    Run,
    Send,
    Stop,
    Tell,
)

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

logger = logging.getLogger("jupyter_arkitekt.rekuest")

#: Seconds that last reports get to reach the server when the agent is closed.
FLUSH_TIMEOUT = 2.0

#: Seconds until an agent that was just started has to be registered.
READY_TIMEOUT = 30.0

#: Seconds without the platform that are not worth a word: it is being restarted.
QUIET = 10.0

_CLOSED = "The app that ran this was closed."


class Agent:
    """Hosts the functions of one app over the agent socket. Everything runs on the background loop.

    Parameters
    ----------
    app
        Who hosts.
    registry
        What is hosted.
    """

    def __init__(self, app: AppLike, registry: FunctionRegistry = functions) -> None:
        self._app = app
        self._functions = registry
        self._session = str(uuid.uuid4())
        self._protocol = self._new_protocol()
        self._nested = Nested(self._request, lambda request: self._protocol.forget(request), self._record)
        self._assignments: dict[str, Assignment] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._outgoing: asyncio.Queue[m.Message] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._moved = asyncio.Event()
        self._ended = asyncio.Event()
        self._settled = asyncio.Event()
        self._announced: str | None = None
        self._offline_since: float | None = None
        self._told_offline = False
        self._runner: asyncio.Task[None] | None = None
        self._failure: ArkitektError | None = None
        self._closed = False
        self._unobserve = registry.observe(self._notice)

    def __repr__(self) -> str:
        hosted = ", ".join(function.interface for function in self._functions.hosted_by(self._app)) or "nothing"
        why = f" ({self._protocol.reason})" if self._protocol.reason else ""
        return f"<Agent of {self._app.identifier!r}, {self.state}{why}, hosts {hosted}>"

    @property
    def state(self) -> AgentState:
        """Where it stands: ``active`` when calls can come."""
        return self._protocol.state

    @property
    def started(self) -> bool:
        """Whether it was told to host."""
        return self._runner is not None

    def start(self) -> None:
        """Begin to host, if it does not yet or has ended; on the background loop."""
        if self._closed or (self._runner is not None and not self._runner.done()):
            return
        if self._runner is not None:
            self._protocol = self._new_protocol()
            self._announced = self._failure = None
            self._ended = asyncio.Event()
        self._runner = asyncio.ensure_future(self._run())

    def _new_protocol(self) -> AgentProtocol:
        return AgentProtocol(self._session, name=repr(self._app.identifier))

    async def ready(self) -> None:
        """Wait until everything that is registered can be called.

        Raises
        ------
        CallError
            If the agent has ended.
        DeadlineError
            If it does not get there in time.
        """
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                while True:
                    offered = self._offer().hash
                    if self._protocol.state is AgentState.ACTIVE and self._announced == offered:
                        return
                    self._raise_if_ended()
                    await self._moved.wait()
        except TimeoutError:
            raise DeadlineError(
                f"{self._app.identifier!r} does not host its functions yet: it is {self.state} for "
                f"{READY_TIMEOUT:g} s. The log of jupyter_arkitekt.rekuest says more."
            ) from None

    async def wait(self) -> None:
        """Wait until it has ended.

        Raises
        ------
        CallError
            If the platform does not want it any more.
        """
        await self._ended.wait()
        self._raise_if_ended()

    async def aclose(self) -> None:
        """Stop hosting: running tasks are given up and their callers told, then the socket is closed."""
        self._closed = True
        self._unobserve()
        for assignment in list(self._assignments.values()):
            assignment.close(_CLOSED)
        if self._protocol.state is AgentState.ACTIVE:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_TIMEOUT):
                    while not self._protocol.settled:
                        self._settled.clear()
                        await self._settled.wait()
        self._protocol.end("it was closed")
        if self._runner is not None and self._runner is not asyncio.current_task():
            self._runner.cancel()
            await asyncio.wait([self._runner])
        self._over(CallError(_CLOSED))

    # -- connection

    async def _run(self) -> None:
        protocol = self._protocol
        try:
            while not protocol.ended:
                code = await self._attempt()
                delay = protocol.lost(code)
                self._move()
                if delay is not None:
                    await asyncio.sleep(delay)
        except ArkitektError as error:
            protocol.end(str(error))
            self._failure = error
        except asyncio.CancelledError:
            protocol.end("it was stopped")
            raise
        except Exception as error:
            logger.exception("The agent of %r failed", self._app.identifier)
            protocol.end(f"It failed: {error!r}")
            raise
        finally:
            self._over(CallError(f"Hosting ended: {protocol.reason}"))

    async def _attempt(self) -> int | None:
        """Announce, connect and serve until the connection is lost; return its close code."""
        protocol = self._protocol
        try:
            if self._announced is None or protocol.refused:
                protocol.announce()
                await self._announce(ensure=True)
            protocol.connect()
            from jupyter_arkitekt.transport.socket import connect

            token = await self._app.token()
            what = f"The agent socket of rekuest for {self._app.identifier!r}"
            socket = await connect(f"{self._app.endpoint('rekuest').rstrip('/')}/agi", what=what)
        except (ConnectError, DeadlineError) as error:
            self._tell_offline(error)
            return None
        except ServerError as error:
            if (error.status or 0) < 500:
                raise
            self._tell_offline(error)  # it may just be starting
            return None
        try:
            # What was not sent on the last connection is forgotten; the protocol knows what has to be said again.
            self._outgoing = asyncio.Queue()
            self._do(protocol.opened(token))
            return await self._serve(socket)
        finally:
            await socket.close()

    async def _serve(self, socket: ClientConnection) -> int | None:
        from websockets.exceptions import ConnectionClosed

        writer = asyncio.ensure_future(self._write(socket))
        announcer = asyncio.ensure_future(self._reannounce())
        try:
            async for text in socket:
                try:
                    effects = self._protocol.receive(text)
                except ValueError as error:
                    logger.warning("A frame of the platform was ignored: %s", error)
                    continue
                if not self._do(effects):
                    break
        except ConnectionClosed as closed:
            self._tell_offline(closed)
        finally:
            for task in (writer, announcer):
                task.cancel()
            await asyncio.wait([writer, announcer])
        return socket.close_code

    async def _write(self, socket: ClientConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        with contextlib.suppress(ConnectionClosed):
            while True:
                message = await self._outgoing.get()
                await socket.send(message.text())

    def _do(self, effects: list[Effect]) -> bool:
        """Do what the protocol says; ``False`` when the connection is to be given up."""
        going_on = True
        for effect in effects:
            match effect:
                case Send(message):
                    self._outgoing.put_nowait(message)
                case Run(assign):
                    self._begin(assign)
                case Stop(task, now):
                    assignment = self._assignments.get(task)
                    if assignment is not None:
                        assignment.stop(now=now)
                case Tell(message):
                    self._nested.tell(message)
                case Active():
                    self._changed.set()
                    self._tell_online()
                    self._move()
                    self._keep(self._catch_up())
                case Drop() | Ended():
                    going_on = False
        if self._protocol.settled:
            self._settled.set()
        return going_on

    # -- what is offered

    def _offer(self) -> words.AgentOffer:
        return offer_of(self._functions.hosted_by(self._app), self._app.identifier)

    def _notice(self) -> None:
        """Note, on any thread, that the registry has changed."""
        bridge.loop().call_soon_threadsafe(self._changed.set)

    async def _announce(self, *, ensure: bool = False) -> None:
        client = self._app.service("rekuest")
        offer = self._offer()
        known = self._announced
        if ensure:
            agent = await client.mutate("ensureAgent", words.Agent, input={"name": self._app.identifier})
            known = agent.hash
        if known != offer.hash:
            await client.mutate("implementAgent", words.Agent, input=offer)
        self._announced = offer.hash
        self._failure = None
        self._move()

    async def _reannounce(self) -> None:
        """Tell the server whenever the offer changes while the agent is connected."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._protocol.state is not AgentState.ACTIVE:
                continue
            try:
                await self._announce()
            except (ConnectError, DeadlineError) as error:
                logger.info("The functions could not be announced, again in a second: %s", error)
                await asyncio.sleep(1)
                self._changed.set()
            except ArkitektError as error:
                logger.error("The functions of %r could not be announced: %s", self._app.identifier, error)
                self._failure = error
                self._move()

    # -- tasks

    def _begin(self, assign: m.Assign) -> None:
        function = self._functions.get(assign.interface, self._app)
        if function is None:
            self._report(
                m.Failed(task=assign.task, error=f"{self._app.identifier} does not host {assign.interface!r} any more.")
            )
            return
        children = Children(self._nested, assign.task, self._app)
        assignment = Assignment(assign, function, self._app, self._report, children)
        self._assignments[assign.task] = assignment
        self._keep(assignment.run()).add_done_callback(lambda _: self._assignments.pop(assign.task, None))

    def _keep(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `coroutine` beside everything else; the loop itself keeps tasks by weak references only."""
        work = asyncio.ensure_future(coroutine)
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        return work

    async def _catch_up(self) -> None:
        try:
            await self._nested.catch_up()
        except ArkitektError as error:
            logger.info("What bodies have called could not be looked at, the next connection will: %s", error)

    async def _record(self, task: str) -> list[words.TaskEvent]:
        record: words.Task = await self._app.service("rekuest").query("task", words.Task, id=task)
        return record.events

    def _report(self, report: m.Report) -> None:
        self._do(self._protocol.report(report))

    def _request(self, message: m.Message) -> None:
        self._do(self._protocol.request(message))

    # -- ends and waits

    def _move(self) -> None:
        """Let whoever waits look again."""
        self._moved.set()
        self._moved = asyncio.Event()

    def _raise_if_ended(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._ended.is_set() and self._protocol.reason != "it was closed":
            raise CallError(f"{self._app.identifier!r} does not host functions: {self._protocol.reason}")

    def _tell_offline(self, why: Exception) -> None:
        """Tell the person, once, that the platform is away for longer than a restart takes."""
        now = time.monotonic()
        self._offline_since = self._offline_since or now
        if now - self._offline_since > QUIET and not self._told_offline:
            self._told_offline = True
            logger.warning("%r lost the platform and goes on trying: %s", self._app.identifier, why)

    def _tell_online(self) -> None:
        if self._told_offline:
            logger.warning("%r hosts again", self._app.identifier)
        self._offline_since, self._told_offline = None, False

    def _over(self, error: ArkitektError) -> None:
        if not self._ended.is_set():
            self._ended.set()
            self._move()
            self._nested.fail(error)
            if self._protocol.reason not in ("it was closed", "it was stopped"):
                logger.error("%s", error)
