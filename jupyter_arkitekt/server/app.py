"""The platform as one ASGI application."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from jupyter_arkitekt.server._edge import Activity, Edge
from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.identity import Identity
from jupyter_arkitekt.server.identity._routes import routes as fakts_routes
from jupyter_arkitekt.server.platform import Platform
from jupyter_arkitekt.server.settings import Settings

logger = logging.getLogger("arkitekt.server")


def build_app(settings: Settings) -> Starlette:
    """Build the application of `settings`; its data directory has to exist.

    The platform behind it is ``app.state.platform``, its use is counted in ``app.state.activity``.

    Raises
    ------
    PlatformError
        If the database or a secret cannot be used.
    """
    db = Database.open(settings)
    try:
        platform = _platform(settings, db)
        app = Starlette(routes=_routes(platform), lifespan=_lifespan)
    except BaseException:
        db.close()
        raise
    app.state.platform = platform
    app.state.activity = Activity()
    app.add_middleware(Edge, settings=settings, activity=app.state.activity)
    return app


def _platform(settings: Settings, db: Database) -> Platform:
    identity = Identity(settings, db)
    storage: Any = None
    grants: Any = None
    if _exists("objects"):
        objects = import_module("jupyter_arkitekt.server.objects")
        storage = objects.Storage(settings.objects_dir)
        grants = objects.Grants(identity.secret_for("object grants"))
    return Platform(settings=settings, db=db, identity=identity, storage=storage, grants=grants)


def _routes(platform: Platform) -> list[BaseRoute]:
    async def health(_request: Request) -> Response:
        return JSONResponse({"DatabaseBackend": platform.db.health()})

    found: list[BaseRoute] = [Route("/ht", health), Route("/lok/ht", health), *fakts_routes(platform)]
    for room in ("mikro", "rekuest"):
        if _exists(room):
            module = import_module(f"jupyter_arkitekt.server.{room}")
            found.extend(module.service().routes(platform))
            if room == "rekuest":
                found.extend(module.routes(platform))
    if _exists("objects"):
        found.extend(import_module("jupyter_arkitekt.server.objects").routes(platform))  # last: they take whole paths
    return found


def _exists(room: str) -> bool:
    spec = importlib.util.find_spec(f"jupyter_arkitekt.server.{room}")
    return spec is not None and spec.origin is not None


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    platform: Platform = app.state.platform
    try:
        for hook in platform.on_start:
            await hook()
        yield
    finally:
        platform.db.close()
