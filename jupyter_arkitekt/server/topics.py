"""Who listens to what, inside this process.

A topic is any hashable key. Publishing is a plain call on the loop's thread that never waits: a listener that does not
keep up is told so (:class:`Overflow`) instead of slowing everyone down or missing messages in silence.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import Any

#: Messages that wait for one listener before it counts as too slow.
BACKLOG = 4096


class Overflow(Exception):  # noqa: N818 - it is a state of the feed, named as such
    """A listener did not keep up; it has to subscribe again and read the current state."""

    def __init__(self) -> None:
        super().__init__(
            "the subscription fell too far behind and was ended; read the current state and subscribe again"
        )


class Feed:
    """The messages of one listener, an asynchronous iterator without an end."""

    def __init__(self, backlog: int) -> None:
        self._waiting: deque[Any] = deque()
        self._backlog = backlog
        self._arrived = asyncio.Event()
        self._overflow = False

    def put(self, message: Any) -> None:
        """Add `message`, or note that the listener is too slow."""
        if len(self._waiting) >= self._backlog:
            self._overflow = True
        else:
            self._waiting.append(message)
        self._arrived.set()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while not self._waiting:
            if self._overflow:
                raise Overflow
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()


class Topics:
    """Topics of one platform.

    Parameters
    ----------
    backlog
        Messages that may wait for one listener.
    """

    def __init__(self, backlog: int = BACKLOG) -> None:
        self._feeds: dict[Hashable, set[Feed]] = {}
        self._backlog = backlog

    def publish(self, key: Hashable, message: Any) -> None:
        """Hand `message` to everyone who listens to `key` now. Call it on the loop's thread, after the commit."""
        for feed in self._feeds.get(key, ()):
            feed.put(message)

    @asynccontextmanager
    async def subscribe(self, *keys: Hashable) -> AsyncIterator[AsyncIterator[Any]]:
        """Listen to `keys` from now on.

        Yields
        ------
        AsyncIterator
            The messages in the order in which they were published; raises :class:`Overflow` when the listener is too
            slow.
        """
        feed = Feed(self._backlog)
        for key in keys:
            self._feeds.setdefault(key, set()).add(feed)
        try:
            yield feed
        finally:
            for key in keys:
                listeners = self._feeds.get(key)
                if listeners is not None:
                    listeners.discard(feed)
                    if not listeners:
                        del self._feeds[key]
