"""What changed, for those who watch: images, files and regions of interest of an organisation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Table, select

from jupyter_arkitekt.server.db import mikro as db
from jupyter_arkitekt.server.graphql import Context, Resolvers
from jupyter_arkitekt.server.mikro._access import get, number
from jupyter_arkitekt.server.mikro._records import Record, load

Event = dict[str, Any]


def changed(ctx: Context, kind: str, what: str, key: int, scope: int | None) -> None:
    """Tell the listeners that a row changed; call it after the commit.

    Parameters
    ----------
    kind
        ``image``, ``file`` or ``roi``.
    what
        ``create``, ``update`` or ``delete``.
    scope
        Id of the dataset, or of a region's image.
    """
    organisation = ctx.caller.organisation_id
    for topic in {(kind, organisation, None), (kind, organisation, scope)}:
        ctx.platform.topics.publish(("mikro", *topic), (what, key))


async def _follow(ctx: Context, kind: str, table: Table, scope: int | None) -> AsyncIterator[Event]:
    topic = ("mikro", kind, ctx.caller.organisation_id, scope)
    async with ctx.platform.topics.subscribe(topic) as messages:
        async for what, key in messages:
            if what == "delete":
                yield {what: str(key)}
            elif found := _there(ctx, table, key):
                yield {what: found[0]}


def _there(ctx: Context, table: Table, key: int) -> list[Record]:
    """Return the row if it is still there: between a change and its telling it may be deleted, which is told next."""
    return load(ctx, select(table).where(table.c.id == key))


def register(resolvers: Resolvers) -> None:
    """Attach the subscriptions."""

    @resolvers.subscription("images")
    async def _images(_parent: object, ctx: Context, dataset: str | None = None) -> AsyncIterator[Event]:
        async for event in _follow(ctx, "image", db.image, _scope(ctx, db.dataset, "dataset", dataset)):
            yield event

    @resolvers.subscription("files")
    async def _files(_parent: object, ctx: Context, dataset: str | None = None) -> AsyncIterator[Event]:
        async for event in _follow(ctx, "file", db.file, _scope(ctx, db.dataset, "dataset", dataset)):
            yield event

    @resolvers.subscription("rois")
    async def _rois(_parent: object, ctx: Context, image: str) -> AsyncIterator[Event]:
        async for event in _follow(ctx, "roi", db.roi, _scope(ctx, db.image, "image", image)):
            yield event


def _scope(ctx: Context, table: Table, what: str, value: str | None) -> int | None:
    if value is None:
        return None
    get(ctx, table, what, value)  # not found is an answer too
    return number(value)
