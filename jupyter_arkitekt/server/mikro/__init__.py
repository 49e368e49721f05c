"""Mikro of the platform: images, what is said about them, and the grants to reach their pixels."""

from __future__ import annotations

from importlib.resources import files

from jupyter_arkitekt.server.graphql import Resolvers, Service

__all__ = ["service"]


def service() -> Service:
    """Build the GraphQL service."""
    from jupyter_arkitekt.server.mikro import (
        _datasets,
        _equipment,
        _events,
        _fields,
        _files,
        _images,
        _listings,
        _rois,
        _scalars,
        _stores,
        _views,
    )

    resolvers = Resolvers()
    for topic in (
        _scalars,
        _listings,
        _fields,
        _stores,
        _images,
        _views,
        _datasets,
        _files,
        _rois,
        _equipment,
        _events,
    ):
        topic.register(resolvers)
    return Service("mikro", (files(__package__) / "schema.graphql").read_text(encoding="utf-8"), resolvers)
