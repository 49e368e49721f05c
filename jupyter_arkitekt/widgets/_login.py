"""The sign-in card: a code, the page that asks for consent, a countdown. Its other half is js/src/login.

Nothing blocks: the cell that shows the card ends at once, and the card becomes one line when somebody has agreed. The
link is for the person's browser, which may be on another machine than the kernel; nothing is opened from here.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

import traitlets

from jupyter_arkitekt import bridge
from jupyter_arkitekt.errors import ArkitektError
from jupyter_arkitekt.widgets._bundle import bundled
from jupyter_arkitekt.widgets._card import Card, Command
from jupyter_arkitekt.widgets._plain import Place, Plain, line

_logger = logging.getLogger(__name__)


class SignedIn(Protocol):
    """What the card says of an app that is signed in."""

    @property
    def user(self) -> str | None:
        """Who."""

    @property
    def deployment(self) -> str:
        """Where, by name."""

    @property
    def url(self) -> str:
        """Where, by address."""


class Pending(Protocol):
    """What the card needs of a sign-in that waits for consent."""

    @property
    def code(self) -> str:
        """What the person compares on the page."""

    @property
    def url(self) -> str:
        """The page."""

    @property
    def state(self) -> str:
        """``pending``, ``granted``, ``denied``, ``expired``, ``cancelled`` or ``error``."""

    @property
    def error(self) -> str:
        """Why it failed; empty otherwise."""

    @property
    def seconds_left(self) -> float:
        """Seconds until the code expires."""

    @property
    def app(self) -> SignedIn:
        """The app that is signing in."""

    def observe(self, callback: Callable[[Any], None], /) -> None:
        """Have `callback` told when the state changes, on any thread."""

    def cancel(self) -> None:
        """Stop waiting."""


#: Starts a sign-in anew; may block.
Again = Callable[[], "Pending | SignedIn"]


def signed_in_line(app: SignedIn) -> Plain:
    """Return the line that says who is signed in, and where."""
    who = f"Signed in as {app.user}" if app.user else "Signed in"
    return line(f"{who} at {app.deployment or host_of(app.url)}", app.url)


def host_of(url: str) -> str:
    """Return host and port of an address."""
    return urlsplit(url).netloc.rpartition("@")[2] or url


class LoginCard(Card):
    """A sign-in that waits for a person's consent.

    Parameters
    ----------
    sign_in
        What waits.
    again
        Starts another one after this has ended badly; ``None`` when that is not offered.
    """

    _esm = bundled("login.js")
    _css = bundled("login.css")

    #: ``pending``, ``granted``, ``denied``, ``expired``, ``cancelled`` or ``error``.
    state = traitlets.Unicode("pending").tag(sync=True)
    #: Code to compare; empty once the sign-in is over, so that no saved state holds it.
    code = traitlets.Unicode("").tag(sync=True)
    #: Address of the page that asks for consent; empty once the sign-in is over.
    url = traitlets.Unicode("").tag(sync=True)
    #: Where the person signs in.
    server = traitlets.Unicode("").tag(sync=True)
    #: Who signed in; empty until then.
    user = traitlets.Unicode("").tag(sync=True)
    #: Seconds that the code is still valid, as of the last change.
    left = traitlets.Float(0.0).tag(sync=True)
    #: What went wrong, in the state ``error``.
    message = traitlets.Unicode("").tag(sync=True)
    #: What to do about it.
    remedy = traitlets.Unicode("").tag(sync=True)
    #: Whether another code can be asked for.
    can_retry = traitlets.Bool(False).tag(sync=True)

    def __init__(self, sign_in: Pending, *, again: Again | None = None) -> None:
        self._lock = threading.Lock()
        self._sign_in = sign_in
        self._again = again
        self._place = Place()
        self._asking = False
        super().__init__()
        self._follow(sign_in)

    def commands(self) -> dict[str, Command]:
        """Return what to do with each kind of message."""
        return {
            "cancel": lambda _: self.cancel(),
            "retry": lambda _: self.retry(),
            "time": lambda _: self._tell_time(),
        }

    def plain(self) -> str:
        """Return the text that stands in for the card: no code, because notebooks are shared."""
        return f"Sign in to {self.server}: this needs a notebook with widgets, or `%arkitekt status`."

    def show(self) -> None:
        """Display the card; when the sign-in is granted, a plain line takes its place and stays in the notebook."""
        self._place.show(self)

    def cancel(self) -> None:
        """Stop waiting for consent."""
        with self._lock:
            sign_in = self._sign_in
        sign_in.cancel()

    def retry(self) -> None:
        """Ask for another code; returns at once."""
        with self._lock:
            if self._again is None or self._asking or self.state in ("pending", "granted"):
                return
            self._asking = True
            again = self._again
        self.can_retry = False
        bridge.spawn(self._ask(again), name="ask for another code")

    def close(self) -> None:
        """Stop waiting and close the widget."""
        if self.state == "pending":
            self.cancel()
        super().close()

    async def _ask(self, again: Again) -> None:
        try:
            # Starting a sign-in goes through the blocking door, which is not for this thread.
            found = await asyncio.to_thread(again)
        except ArkitektError as error:
            self._end("error", str(error), "Run %arkitekt login to try again.")
        except Exception as error:
            _logger.exception("Asking for another code failed")
            self._end("error", f"{type(error).__name__}: {error}", "Run %arkitekt login to try again.")
        else:
            if hasattr(found, "code"):
                self._follow(found)
            else:
                self._granted(found)
        finally:
            with self._lock:
                self._asking = False

    def _follow(self, sign_in: Any) -> None:
        with self._lock:
            self._sign_in = sign_in
        with self.hold_sync():
            self.state, self.code, self.url = "pending", sign_in.code, sign_in.url
            self.server = host_of(sign_in.url)
            self.left = sign_in.seconds_left
            self.message = self.remedy = ""
            self.can_retry = False
        sign_in.observe(self._settled)

    def _settled(self, sign_in: Any) -> None:
        """Show how it ended; called on any thread."""
        with self._lock:
            if sign_in is not self._sign_in:
                return
        if sign_in.state == "granted":
            self._granted(sign_in.app)
        elif sign_in.state != "pending":
            self._end(sign_in.state, sign_in.error, "Ask for a new code, or run %arkitekt login.")

    def _granted(self, app: SignedIn) -> None:
        with self.hold_sync():
            self.state, self.code, self.url = "granted", "", ""
            self.user, self.server = app.user or "", app.deployment or self.server
        if self._place.shown:
            self._place.show(signed_in_line(app))

    def _end(self, state: str, message: str, remedy: str) -> None:
        with self.hold_sync():
            self.state, self.code, self.url = state, "", ""
            self.message, self.remedy = message, remedy
            self.can_retry = self._again is not None

    def _tell_time(self) -> None:
        with self._lock:
            sign_in = self._sign_in
        if self.state == "pending":
            self.left = sign_in.seconds_left
