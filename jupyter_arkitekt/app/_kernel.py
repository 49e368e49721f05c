"""Signing a kernel in: what ``%load_ext arkitekt`` does, without saying how it looks."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Literal

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.app._app import App
from jupyter_arkitekt.app._easy import easy, machine_id
from jupyter_arkitekt.errors import ArkitektError
from jupyter_arkitekt.fakts import DeviceCode

IDENTIFIER = "live.arkitekt.jupyter"

State = Literal["pending", "granted", "denied", "expired", "error", "cancelled"]


class SignIn:
    """A kernel's sign-in that waits for a person on a web page.

    Attributes
    ----------
    code, url
        What the person sees there, and where.
    expires_at
        When it ends, seconds of the monotonic clock.
    state
        What became of it.
    error
        Why it failed, for a person's eyes; empty otherwise.
    app
        The app that is signing in; it becomes the current one when it is granted.
    """

    def __init__(self, app: App, code: DeviceCode) -> None:
        self.app = app
        self.code = code.code
        self.url = code.url
        self.expires_at = code.expires_at
        self.state: State = "pending"
        self.error = ""
        self._work: Future[None] | None = None
        self._observers: list[Callable[[SignIn], None]] = []
        self._lock = threading.Lock()

    @property
    def seconds_left(self) -> float:
        """Seconds until the code expires."""
        return max(0.0, self.expires_at - time.monotonic())

    def observe(self, callback: Callable[[SignIn], None]) -> None:
        """Have `callback` told when the state changes; at once, if it has changed already."""
        with self._lock:
            self._observers.append(callback)
            settled = self.state != "pending"
        if settled:
            callback(self)

    def cancel(self) -> None:
        """Stop waiting."""
        if self._work is not None:
            self._work.cancel()

    def follow(self, work: Future[None]) -> None:
        """Let `cancel` end `work`."""
        self._work = work

    def settle(self, state: State, error: str = "") -> None:
        """Note what became of it and tell the observers, once."""
        with self._lock:
            if self.state != "pending":
                return
            self.state, self.error = state, error
            observers = list(self._observers)
        for callback in observers:
            callback(self)


def connect_kernel(url: str | None = None, *, wait_for_code: float = 30.0) -> App | SignIn:
    """Sign this kernel in and make its app the kernel-wide one.

    Parameters
    ----------
    url
        Address of the server; ``FAKTS_URL`` when left out, and without that the local platform, which starts by itself.
    wait_for_code
        Seconds for the server to say whether a person has to allow the kernel.

    Returns
    -------
    App or SignIn
        The app when it is signed in, else a sign-in that goes on in the background and does not block the kernel.

    Raises
    ------
    ConnectError, SignInError, PlatformError
        If it cannot be done.
    """
    present = context.current_or_none()
    if isinstance(present, App) and present.entered and (url is None or present.url == url.rstrip("/")):
        return present
    signing: Future[App | SignIn] = Future()

    async def on_code(code: DeviceCode) -> None:
        sign_in = SignIn(app, code)
        sign_in.follow(work)
        if not signing.done():
            signing.set_result(sign_in)

    async def connect() -> None:
        try:
            await app.connect()
        except asyncio.CancelledError:
            _settle(signing, "cancelled")
            raise
        except ArkitektError as error:
            if not signing.done():
                signing.set_exception(error)
            else:
                _settle(signing, _state_of(str(error)), str(error))
            return
        except Exception as error:
            if not signing.done():
                signing.set_exception(error)
                return
            _settle(signing, "error", f"{type(error).__name__}: {error}")
            raise
        context.set_current(app)
        if not signing.done():
            signing.set_result(app)
        else:
            _settle(signing, "granted")

    app = easy(IDENTIFIER, url=url, node_id=notebook_id(), device_hook=on_code)
    work: Future[None] = bridge.spawn(connect(), name="sign the kernel in")
    try:
        return signing.result(timeout=wait_for_code + 60.0)
    except KeyboardInterrupt:
        work.cancel()
        raise


def notebook_id() -> str:
    """Return what names this notebook: the same after a restart of its kernel, another one for another notebook.

    Where the Jupyter server does not tell its name, the kernel's process names it, anew after each restart. Two
    notebooks are two installations, so that both can host functions.
    """
    name = os.environ.get("JPY_SESSION_NAME") or str(os.getpid())
    return hashlib.sha256(f"{machine_id()}:{name}".encode()).hexdigest()[:32]


def _settle(signing: Future[App | SignIn], state: State, error: str = "") -> None:
    if signing.done() and not signing.exception():
        found = signing.result()
        if isinstance(found, SignIn):
            found.settle(state, error)


def _state_of(reason: str) -> State:
    if "denied" in reason:
        return "denied"
    return "expired" if "Nobody allowed" in reason else "error"
