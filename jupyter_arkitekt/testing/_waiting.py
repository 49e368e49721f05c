"""Waiting for what has to happen, with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_STEP = 0.02


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return as soon as `condition` holds.

    Parameters
    ----------
    seconds
        How long it may take at most.
    what
        What is waited for, for the error.

    Raises
    ------
    TimeoutError
        If it does not hold in time.
    """
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {seconds:g} s in vain for {what}.")
        pause.wait(_STEP)
