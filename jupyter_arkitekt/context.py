"""The current app: one slot for the whole kernel, overridden inside a ``with``.

The slot is a plain object and no context variable, because a context variable that was set in a cell which awaits is
gone in the next cell, and callbacks of widgets run on other threads. A context variable only overrides it for the code
inside ``with use(app):``.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

from jupyter_arkitekt.errors import NotConnectedError

if TYPE_CHECKING:
    from jupyter_arkitekt.transport import GraphQLClient

T = TypeVar("T")

__all__ = ["AppLike", "current", "current_or_none", "observe", "offer", "set_current", "use", "withdraw"]


class AppLike(Protocol):
    """What the rooms below `app` need of an app."""

    @property
    def identifier(self) -> str:
        """Name of the app, as the server knows it."""

    @property
    def url(self) -> str:
        """Address of the server."""

    def service(self, key: str) -> GraphQLClient:
        """Return the GraphQL client of the service `key`: ``"mikro"`` or ``"rekuest"``."""

    def endpoint(self, key: str) -> str:
        """Return the base URL of `key`: ``"mikro"``, ``"rekuest"`` or ``"s3"``."""

    async def token(self) -> str:
        """Return a valid access token, renewed when needed."""

    def slot(self, key: str, factory: Callable[[], T]) -> T:
        """Return the one object `key` of this app, made by `factory` at first; its ``aclose`` is awaited at exit."""


_lock = threading.Lock()
_kernel_wide: AppLike | None = None
_override: contextvars.ContextVar[AppLike | None] = contextvars.ContextVar("arkitekt_app", default=None)
_observers: list[Callable[[AppLike | None], None]] = []


def current() -> AppLike:
    """Return the app that calls go to.

    Raises
    ------
    NotConnectedError
        If there is none.
    """
    app = current_or_none()
    if app is None:
        raise NotConnectedError(
            "No app is signed in here. In a notebook run `%load_ext arkitekt`; in a script write "
            '`with easy("my-app"):` around the calls.'
        )
    return app


def current_or_none() -> AppLike | None:
    """Return the app that calls go to, ``None`` when there is none."""
    return _override.get() or _kernel_wide


def set_current(app: AppLike | None) -> None:
    """Make `app` the kernel-wide one, or empty the slot."""
    global _kernel_wide
    with _lock:
        changed = _kernel_wide is not app
        _kernel_wide = app
        told = list(_observers) if changed else []
    for callback in told:
        callback(app)


def offer(app: AppLike) -> None:
    """Make `app` the kernel-wide one if there is none, so that other threads find the only app there is."""
    global _kernel_wide
    with _lock:
        if _kernel_wide is not None:
            return
        _kernel_wide = app
        told = list(_observers)
    for callback in told:
        callback(app)


def withdraw(app: AppLike) -> None:
    """Empty the kernel-wide slot if `app` is in it."""
    if _kernel_wide is app:
        set_current(None)


def observe(callback: Callable[[AppLike | None], None]) -> Callable[[], None]:
    """Have `callback` told each time the kernel-wide app changes; return the function that ends it.

    It is called on the thread that made the change and must neither block nor raise.
    """
    with _lock:
        _observers.append(callback)

    def unobserve() -> None:
        with _lock, contextlib.suppress(ValueError):
            _observers.remove(callback)

    return unobserve


@contextlib.contextmanager
def use(app: AppLike) -> Iterator[AppLike]:
    """Let calls inside the ``with`` go to `app`, whatever the kernel-wide one is."""
    token = _override.set(app)
    try:
        yield app
    finally:
        _override.reset(token)
