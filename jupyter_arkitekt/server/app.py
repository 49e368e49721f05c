"""The platform as one ASGI application."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from jupyter_arkitekt.server import mikro, objects, rekuest
from jupyter_arkitekt.server._edge import Activity, Edge
from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.identity import Identity
from jupyter_arkitekt.server.identity._consent import routes as consent_routes
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
    return Platform(
        settings=settings,
        db=db,
        identity=identity,
        storage=objects.Storage.open(settings.data_dir),
        grants=objects.Grants.open(settings.data_dir),
    )


def _routes(platform: Platform) -> list[BaseRoute]:
    async def health(_request: Request) -> Response:
        return JSONResponse({"DatabaseBackend": platform.db.health()})

    return [
        Route("/ht", health),
        Route("/lok/ht", health),
        *fakts_routes(platform),
        *consent_routes(platform),
        *mikro.service().routes(platform),
        *rekuest.service().routes(platform),
        *rekuest.routes(platform),
        *objects.routes(platform),  # last: they take whole paths
    ]


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    platform: Platform = app.state.platform
    try:
        for hook in platform.on_start:
            await hook()
        yield
    finally:
        platform.db.close()
