"""Rekuest of the platform: who offers which function, and the broker of calls."""

from __future__ import annotations

from importlib.resources import files

from starlette.routing import BaseRoute

from jupyter_arkitekt.server.graphql import Resolvers, Service
from jupyter_arkitekt.server.platform import Platform

__all__ = ["routes", "service"]


def service() -> Service:
    """Build the GraphQL service."""
    from jupyter_arkitekt.server.rekuest import _actions, _agents, _drawers, _tasks

    resolvers = Resolvers()
    for topic in (_actions, _agents, _tasks, _drawers):
        topic.register(resolvers)
    for scalar in ("AnyDefault", "Args"):
        resolvers.scalar(scalar, serialize=_as_is, parse=_as_is)
    return Service("rekuest", (files(__package__) / "schema.graphql").read_text(encoding="utf-8"), resolvers)


def routes(platform: Platform) -> list[BaseRoute]:
    """Make the broker of `platform` and return the route of the agent socket."""
    from jupyter_arkitekt.server.rekuest._broker import Broker
    from jupyter_arkitekt.server.rekuest._socket import routes as socket_routes
    from jupyter_arkitekt.server.rekuest._timing import Timing

    platform.broker = Broker(platform, Timing.from_env())
    platform.on_start.append(platform.broker.start)
    platform.on_stop.append(platform.broker.stop)
    return socket_routes(platform)


def _as_is(value: object) -> object:
    return value
