"""Topics: who listens to what inside the platform's process."""

from __future__ import annotations

import pytest

from jupyter_arkitekt.server.topics import Overflow, Topics


async def test_a_listener_gets_what_is_published_while_it_listens_in_order() -> None:
    topics = Topics()
    topics.publish("a", "too early")
    async with topics.subscribe("a", "b") as feed:
        for key, message in (("a", 1), ("c", 2), ("b", 3), ("a", 4)):
            topics.publish(key, message)
        assert [await anext(feed) for _ in range(3)] == [1, 3, 4]
    topics.publish("a", "too late")
    async with topics.subscribe("a") as feed:
        topics.publish("a", 5)
        assert await anext(feed) == 5


async def test_a_listener_that_is_too_slow_is_told_so_after_what_it_got() -> None:
    topics = Topics(backlog=2)
    async with topics.subscribe("a") as slow, topics.subscribe("a") as quick:
        for message in range(3):
            topics.publish("a", message)
            assert await anext(quick) == message
        assert [await anext(slow), await anext(slow)] == [0, 1]
        with pytest.raises(Overflow, match="subscribe again"):
            await anext(slow)
