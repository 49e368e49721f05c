"""When to try a lost connection again, and when to stop trying: a state machine without I/O.

::

    IDLE ──connect──> CONNECTING ──opened──> OPEN
                        │   ^                  │
                       lost └──connect──┐     lost
                        │            WAITING <─┤
                        ├────────────>─┘       │
                        └──> GIVEN_UP <────────┘     close: from every state back to IDLE
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum

__all__ = ["Reconnect", "State"]


class State(Enum):
    """Where a connection stands."""

    IDLE = "idle"
    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    GIVEN_UP = "given up"


class Reconnect:
    """Decide about the next attempt of one connection.

    Parameters
    ----------
    first
        Seconds in which the very first connection may be tried again. Short: somebody waits for it.
    patience
        Seconds in which a connection that was open once may be tried again, counted from its loss. Long: a server may
        be restarting.
    clock
        Monotonic clock, in seconds.
    """

    SHORTEST = 0.1
    LONGEST = 5.0

    def __init__(
        self, *, first: float = 0.5, patience: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.state = State.IDLE
        self.resumed = False
        self._first = first
        self._patience = patience
        self._clock = clock
        self._was_open = False
        self._failing_since: float | None = None
        self._delay = self.SHORTEST

    def connect(self) -> None:
        """Note that an attempt begins."""
        self._expect(State.IDLE, State.WAITING)
        self.state = State.CONNECTING

    def opened(self) -> None:
        """Note that the attempt succeeded; `resumed` says whether it had been open before."""
        self._expect(State.CONNECTING)
        self.state = State.OPEN
        self.resumed = self._was_open
        self._was_open = True
        self._failing_since = None
        self._delay = self.SHORTEST

    def lost(self) -> float | None:
        """Note that the attempt failed or the connection broke; return the seconds to wait, ``None`` to give up."""
        self._expect(State.CONNECTING, State.OPEN)
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        limit = self._patience if self._was_open else self._first
        if now - self._failing_since + self._delay > limit:
            self.state = State.GIVEN_UP
            return None
        self.state = State.WAITING
        delay, self._delay = self._delay, min(self._delay * 2, self.LONGEST)
        return delay

    def close(self) -> None:
        """Forget everything: the next connection is a first one."""
        self.state = State.IDLE
        self.resumed = self._was_open = False
        self._failing_since = None
        self._delay = self.SHORTEST

    def _expect(self, *states: State) -> None:
        if self.state not in states:
            raise RuntimeError(f"a connection that is {self.state.value} cannot do that")
