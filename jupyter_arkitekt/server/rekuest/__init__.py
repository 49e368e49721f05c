"""Rekuest of the platform: who offers which function, and the broker of calls."""

from __future__ import annotations

from importlib.resources import files

from starlette.routing import BaseRoute

from jupyter_arkitekt.server.graphql import Resolvers, Service
from jupyter_arkitekt.server.platform import Platform

__all__ = ["routes", "service"]


def service() -> Service:
    """Build the GraphQL service."""
    from jupyter_arkitekt.server.rekuest import (
        _actions,
        _agents,
        _bloks,
        _drawers,
        _offers,
        _ports,
        _resolutions,
        _shortcuts,
        _spaces,
        _state_queries,
        _tasks,
    )

    resolvers = Resolvers()
    topics = (
        _actions,
        _agents,
        _bloks,
        _drawers,
        _offers,
        _ports,
        _resolutions,
        _shortcuts,
        _spaces,
        _state_queries,
        _tasks,
    )
    for topic in topics:
        topic.register(resolvers)
    for scalar in ("AnyDefault", "Args"):
        resolvers.scalar(scalar, serialize=_as_is, parse=_as_is)
    return Service("rekuest", (files(__package__) / "schema.graphql").read_text(encoding="utf-8"), resolvers)


def routes(platform: Platform) -> list[BaseRoute]:
    """Make the broker of `platform` and return the route of the agent socket."""
    from jupyter_arkitekt.server.rekuest._assign import run_hooks
    from jupyter_arkitekt.server.rekuest._broker import Broker
    from jupyter_arkitekt.server.rekuest._socket import routes as socket_routes
    from jupyter_arkitekt.server.rekuest._timing import Timing

    broker = platform.broker = Broker(platform, Timing.from_env())
    broker.on_end = lambda task: run_hooks(platform, broker, task, "cleanup", task.cleanup_hooks)
    platform.on_start.append(broker.start)
    platform.on_stop.append(broker.stop)
    return socket_routes(platform)


def _as_is(value: object) -> object:
    return value
