"""The feed of a caller: nothing is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from jupyter_arkitekt.server.rekuest._feeds import Feeds, created
from jupyter_arkitekt.server.rekuest._task import Event, Task
from jupyter_arkitekt.server.topics import Topics


def task(number: int, *, root: int | None = None) -> Task:
    return Task(number, 1, 7, f"r{number}", {}, "", 1, "", 1, 1, "f", 0.0, 0.0, root_id=root, parent_id=root)


def finish(feeds: Feeds, one: Task, number: int) -> None:
    event = Event(number, one.id, "COMPLETED", 1.0)
    feeds.event(one, event, created(one))


async def take(feed: AsyncIterator[dict[str, Any]], count: int) -> list[str]:
    async with asyncio.timeout(30):
        messages = [await anext(feed) for _ in range(count)]
    return [f"create {m['create']['id']}" if m["create"] else f"event {m['event']['id']}" for m in messages]


async def test_what_happened_before_anybody_listened_is_told_first_and_once() -> None:
    feeds = Feeds(Topics())
    one = task(1)
    feeds.create(one, created(one))
    finish(feeds, one, 10)
    feed = feeds.mine(7)
    assert await take(feed, 2) == ["create 1", "event 10"]
    finish(feeds, one, 11)
    assert await take(feed, 1) == ["event 11"]
    await feed.aclose()  # type: ignore[attr-defined]  # it is an async generator
    finish(feeds, one, 12)
    again = feeds.mine(7)
    assert await take(again, 1) == ["event 12"]
    await again.aclose()  # type: ignore[attr-defined]  # it is an async generator


async def test_what_a_listener_left_unread_goes_to_the_next_one() -> None:
    feeds = Feeds(Topics())
    one = task(1)
    feed = feeds.mine(7)
    feeds.create(one, created(one))
    assert await take(feed, 1) == ["create 1"]
    finish(feeds, one, 10)
    finish(feeds, one, 11)
    await feed.aclose()  # type: ignore[attr-defined]  # it is an async generator
    again = feeds.mine(7)
    assert await take(again, 2) == ["event 10", "event 11"]
    await again.aclose()  # type: ignore[attr-defined]  # it is an async generator


async def test_children_and_other_callers_are_not_in_my_feed() -> None:
    feeds = Feeds(Topics())
    child, mine = task(2, root=1), task(3)
    feeds.create(child, created(child))
    feeds.create(mine, created(mine))
    feed = feeds.mine(7)
    assert await take(feed, 1) == ["create 3"]
    await feed.aclose()  # type: ignore[attr-defined]  # it is an async generator
