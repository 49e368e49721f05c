"""The serving process: uvicorn, which additionally says when the platform answers and ends within two seconds.

Signals are handled here and not by uvicorn, which raises them again when it is done: the process would die of them
before its own cleaning up. A second signal, or work that does not come to its end, ends the process at once; what is on
disk survives that (SQLite's log, temporary files).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import http.client
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette

from jupyter_arkitekt.errors import PlatformError
from jupyter_arkitekt.server._runtime import announce, url_of
from jupyter_arkitekt.server.platform import Platform
from jupyter_arkitekt.server.settings import Settings

logger = logging.getLogger("arkitekt.server")

#: Seconds that open requests get when the platform ends; rooms are done before, sockets closed at once.
_GRACEFUL = 0.6
#: Seconds that one room gets to end its work.
_HOOK = 0.4
#: Seconds from the signal to the end, whatever still runs.
_LIMIT = 1.8
#: Seconds within which /ht has to answer once the port is bound.
_READY = 20.0
#: Seconds between two looks at whether anybody is here.
_LOOK = 30.0


class Process(uvicorn.Server):
    """Serves `app` on the listening socket `bound`.

    Attributes
    ----------
    failure
        Why it ended, when it ended because something failed.
    """

    def __init__(self, app: Starlette, settings: Settings, bound: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                ws_max_size=16 * 1024 * 1024,
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,  # on a loopback address everybody is a trusted proxy
                timeout_graceful_shutdown=_GRACEFUL,  # type: ignore[arg-type]  # it goes to asyncio.wait_for as it is
            )
        )
        self._app = app
        self._settings = settings
        self._url = url_of(bound)
        self._bound = bound
        self._watch: asyncio.Task[None] | None = None
        self.failure: PlatformError | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end the server while the block runs."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.should_exit:
            os._exit(128 + number)
        self.should_exit = True
        watchdog = threading.Timer(_LIMIT, os._exit, (1,))
        watchdog.daemon = True
        watchdog.start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and let the platform be known once it answers."""
        try:
            await super().startup(sockets=sockets)
        except SystemExit:  # how uvicorn says that the lifespan failed; it has logged why
            self.failure = PlatformError("The platform could not be started; the lines above say why.")
            self.should_exit = True
            return
        self._watch = asyncio.create_task(self._announce_and_watch())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: new connections are refused, rooms end their work, then sockets are closed with code 1012."""
        if self._watch is not None:
            self._watch.cancel()
        for server in self.servers:
            server.close()
        platform: Platform = self._app.state.platform
        for hook in reversed(platform.on_stop):
            try:
                await asyncio.wait_for(hook(), timeout=_HOOK)
            except Exception:
                logger.exception("A room did not end in order")
        await super().shutdown(sockets=sockets)

    async def _announce_and_watch(self) -> None:
        try:
            await asyncio.wait_for(self._until_it_answers(), _READY)
            announce(self._settings, self._url)
            await self._prepare()
        except (PlatformError, TimeoutError) as error:
            self.failure = error if isinstance(error, PlatformError) else PlatformError(f"{self._url} does not answer.")
            self.should_exit = True
            return
        gc.collect()
        gc.freeze()  # modules and schemas stay for ever
        gc.enable()
        logger.info("Serving %s at %s", self._settings.data_dir, self._url)
        idle = self._settings.idle_seconds
        while idle is not None:
            left = idle - self._app.state.activity.idle_seconds()
            if left <= 0:
                logger.info("Nobody has been here for %g s: ending", idle)
                self.should_exit = True
                return
            await asyncio.sleep(min(max(left, 0.05), _LOOK))

    async def _prepare(self) -> None:
        platform: Platform = self._app.state.platform
        try:
            for hook in platform.on_ready:
                await hook()
        except Exception as error:
            logger.exception("A room could not be prepared")
            raise PlatformError(f"The platform cannot serve: {error}") from error

    async def _until_it_answers(self) -> None:
        netloc = urlsplit(self._url).netloc
        while True:
            try:
                if await asyncio.to_thread(_health, netloc) == 200:
                    return
            except OSError as error:
                logger.debug("Not yet: %s", error)
            await asyncio.sleep(0.02)


def _health(netloc: str) -> int:
    connection = http.client.HTTPConnection(netloc, timeout=5)
    try:
        connection.request("GET", "/ht", headers={"Connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()
