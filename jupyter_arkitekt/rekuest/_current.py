"""What a running body says: `progress` and `log`, and which task it runs for."""

from __future__ import annotations

import contextvars
import logging
from typing import Literal, Protocol

from jupyter_arkitekt.errors import ArgumentError

Level = Literal["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]

_LEVELS: dict[str, Level] = {
    "DEBUG": "DEBUG",
    "INFO": "INFO",
    "WARN": "WARN",
    "WARNING": "WARN",
    "ERROR": "ERROR",
    "CRITICAL": "CRITICAL",
}

logger = logging.getLogger("jupyter_arkitekt.rekuest")


class Stopped(BaseException):
    """The task of this body was cancelled.

    No `Exception`, so that ``except Exception`` in a body does not swallow it. Clean up in ``finally``.
    """


class Running(Protocol):
    """The task that a body runs for."""

    task: str

    def check(self) -> None:
        """Raise `Stopped` if the body has to stop."""

    def progress(self, percent: int | None, message: str | None) -> None:
        """Report how far the body is."""

    def log(self, message: str, level: Level) -> None:
        """Report a line."""


current: contextvars.ContextVar[Running | None] = contextvars.ContextVar("arkitekt_task", default=None)


def progress(percent: float, message: str | None = None) -> None:
    """Say how far this function is.

    Inside a function that runs for a caller this is what their progress bar shows; it is also a point at which the
    function ends when they cancel. Elsewhere it does nothing.

    Parameters
    ----------
    percent
        0 to 100.
    message
        What is being done.

    Raises
    ------
    ArgumentError
        If `percent` is no number from 0 to 100.
    """
    try:
        whole = int(percent)
    except (TypeError, ValueError, OverflowError):
        whole = -1
    if not 0 <= whole <= 100:
        raise ArgumentError(f"progress() got {percent!r}: a number from 0 to 100 is needed.", port="percent")
    running = current.get()
    if running is not None:
        running.check()
        running.progress(whole, None if message is None else str(message))


def log(message: object, level: str = "INFO") -> None:
    """Say something to whoever called this function.

    Inside a function that runs for a caller the line goes to them; it is also a point at which the function ends when
    they cancel. Elsewhere it goes to the logger ``jupyter_arkitekt.rekuest``.

    Parameters
    ----------
    message
        What to say.
    level
        ``DEBUG``, ``INFO``, ``WARN``, ``ERROR`` or ``CRITICAL``.

    Raises
    ------
    ArgumentError
        If there is no such level.
    """
    known = _LEVELS.get(str(level).upper())
    if known is None:
        raise ArgumentError(f"log() got the level {level!r}: one of DEBUG, INFO, WARN, ERROR, CRITICAL is needed.")
    running = current.get()
    if running is None:
        logger.log(logging.getLevelName("WARNING" if known == "WARN" else known), "%s", message)
    else:
        running.check()
        running.log(str(message), known)
