"""How often somebody may guess."""

from __future__ import annotations

import time
from collections import OrderedDict, deque

_MAX_KEYS = 10_000


class Limiter:
    """Counts failures per key in a sliding window.

    Parameters
    ----------
    limit
        Failures after which :meth:`is_full` is true.
    seconds
        Length of the window.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def is_full(self, key: str) -> bool:
        """Say whether `key` failed too often lately."""
        failures = self._failures.get(key)
        if failures is None:
            return False
        start = time.monotonic() - self._seconds
        while failures and failures[0] < start:
            failures.popleft()
        if not failures:
            del self._failures[key]
        return len(failures) >= self._limit

    def count(self, key: str) -> None:
        """Count one failure of `key`."""
        failures = self._failures.setdefault(key, deque(maxlen=self._limit))
        failures.append(time.monotonic())
        self._failures.move_to_end(key)
        if len(self._failures) > _MAX_KEYS:
            self._failures.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Take back the last failure of `key`: it was none."""
        failures = self._failures.get(key)
        if failures:
            failures.pop()
