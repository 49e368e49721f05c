"""Serving: from settings to a platform that answers, and to its orderly end."""

from __future__ import annotations

import asyncio
import http.client
import logging
import logging.handlers
import os
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette

from jupyter_arkitekt import config
from jupyter_arkitekt.errors import ConfigError, PlatformError
from jupyter_arkitekt.server._runtime import announce, bind, holding, url_of, withdraw
from jupyter_arkitekt.server.app import build_app
from jupyter_arkitekt.server.platform import Platform
from jupyter_arkitekt.server.settings import Settings

logger = logging.getLogger("arkitekt.server")

#: Seconds that open requests get when the platform ends; hooks and sockets are done before.
_GRACEFUL = 1
#: Seconds within which /ht has to answer once the port is bound.
_READY = 20.0


def serve(settings: Settings) -> None:
    """Serve `settings` until SIGTERM, SIGINT or, with ``idle_seconds``, until nobody has been here for so long.

    Raises
    ------
    AlreadyRunningError
        If another process serves the data directory.
    PlatformError
        If the folder, the database or the address cannot be used.
    """
    os.umask(0o077)  # nothing that the platform writes is for others
    try:
        config.private_dir(settings.data_dir)
    except ConfigError as error:
        raise PlatformError(str(error)) from error
    with holding(settings.data_dir):
        app = build_app(settings)
        bound = bind(settings)
        try:
            app.state.platform.identity.renew_owner_file()
            server = _Server(app, settings, bound)
            server.run(sockets=[bound])
            if server.failure is not None:
                raise server.failure
        except OSError as error:
            raise PlatformError(f"{settings.data_dir} cannot be written: {error.strerror or error}.") from error
        finally:
            withdraw(settings)
            bound.close()


class _Server(uvicorn.Server):
    """uvicorn, which additionally says when the platform answers, and lets rooms end before their sockets do."""

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
                timeout_graceful_shutdown=_GRACEFUL,
            )
        )
        self._app = app
        self._settings = settings
        self._url = url_of(bound)
        self._bound = bound
        self._watch: asyncio.Task[None] | None = None
        self.failure: PlatformError | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and let the platform be known once it answers."""
        await super().startup(sockets=sockets)
        if self.should_exit:  # uvicorn logged why the lifespan failed
            self.failure = PlatformError("The platform could not be started; its log says why.")
        else:
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
                await asyncio.wait_for(hook(), timeout=0.5)
            except Exception:
                logger.exception("A room did not end in order")
        await super().shutdown(sockets=sockets)

    async def _announce_and_watch(self) -> None:
        try:
            await asyncio.wait_for(self._until_it_answers(), _READY)
            announce(self._settings, self._url)
        except (PlatformError, TimeoutError) as error:
            self.failure = error if isinstance(error, PlatformError) else PlatformError(f"{self._url} does not answer.")
            self.should_exit = True
            return
        logger.info("Serving %s at %s", self._settings.data_dir, self._url)
        idle = self._settings.idle_seconds
        while idle is not None:
            left = idle - self._app.state.activity.idle_seconds()
            if left <= 0:
                logger.info("Nobody has been here for %g s: ending", idle)
                self.should_exit = True
                return
            await asyncio.sleep(min(max(left, 0.05), 60.0))

    async def _until_it_answers(self) -> None:
        host, port = self._bound.getsockname()[:2]
        if host in ("0.0.0.0", "::"):  # noqa: S104 - it is looked at, not bound to
            host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
        while True:
            try:
                if await asyncio.to_thread(_health, host, port, urlsplit(self._url).netloc) == 200:
                    return
            except OSError as error:
                logger.debug("Not yet: %s", error)
            await asyncio.sleep(0.02)


def _health(host: str, port: int, name: str) -> int:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/ht", headers={"Host": name, "Connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()


def set_up_logging(settings: Settings, *, verbose: bool, to_file: bool) -> None:
    """Log to standard error, or to ``platform.log`` in the data directory, at most some megabytes of it."""
    handler: logging.Handler
    if to_file:
        handler = logging.handlers.RotatingFileHandler(
            settings.data_dir / "platform.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8"
        )
    else:
        handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    options: dict[str, Any] = {"handlers": [handler], "level": logging.INFO if verbose else logging.WARNING}
    logging.basicConfig(**options)
    logging.getLogger("arkitekt").setLevel(logging.INFO)
