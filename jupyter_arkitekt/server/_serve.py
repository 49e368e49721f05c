"""Serving: from settings to a platform that answers, and to its orderly end."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from typing import Any

from sqlalchemy.exc import DatabaseError

from jupyter_arkitekt import config
from jupyter_arkitekt.errors import ConfigError, PlatformError
from jupyter_arkitekt.server._disk import is_full
from jupyter_arkitekt.server._process import Process
from jupyter_arkitekt.server._runtime import bind, holding, withdraw
from jupyter_arkitekt.server.app import build_app
from jupyter_arkitekt.server.settings import Settings


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
        with holding(settings.data_dir):
            _serve(settings)
    except ConfigError as error:
        raise PlatformError(str(error)) from error
    except (OSError, DatabaseError) as error:
        why = "its disk is full; make room first" if is_full(error) else getattr(error, "orig", error)
        raise PlatformError(f"The data directory {settings.data_dir} cannot be written: {why}.") from error


def _serve(settings: Settings) -> None:
    bound = bind(settings)
    try:
        app = build_app(settings)
        app.state.platform.identity.renew_owner_file()
        process = Process(app, settings, bound)
        process.run(sockets=[bound])
        if process.failure is not None:
            raise process.failure
    finally:
        withdraw(settings)
        bound.close()


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
