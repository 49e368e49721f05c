"""Requests, subscriptions and objects: thin, and the only rooms that know the libraries behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_arkitekt.transport.graphql import GraphQLClient
    from jupyter_arkitekt.transport.objects import store

__all__ = ["GraphQLClient", "store"]

_HOMES = {"GraphQLClient": "graphql", "store": "objects"}


def __getattr__(name: str) -> Any:
    """Load the room of `name` on first use; httpx, graphql-core and obstore take their time."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
