"""The task card: how a call goes, its log, a way to stop it. Its other half is js/src/task."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import traitlets

from jupyter_arkitekt import bridge
from jupyter_arkitekt.models.rekuest import EventKind, TaskEvent
from jupyter_arkitekt.widgets._bundle import bundled
from jupyter_arkitekt.widgets._card import Card, Command

#: Seconds that changes are collected before they go to the browser: a function may report a thousand times a second.
PACE = 0.1

#: Lines of a log that the browser gets; the task keeps all of them.
LOG_LINES = 500

_STATES = {
    EventKind.UNKNOWN: "waiting",
    EventKind.BOUND: "waiting",
    EventKind.QUEUED: "waiting",
    EventKind.DELEGATE: "waiting",
    EventKind.DISCONNECTED: "lost",
    EventKind.UNASSIGN: "cancelling",
    EventKind.CANCELLING: "cancelling",
    EventKind.INTERRUPTING: "cancelling",
    EventKind.COMPLETED: "done",
    EventKind.FAILED: "failed",
    EventKind.CRITICAL: "failed",
    EventKind.CANCELLED: "cancelled",
    EventKind.INTERRUPTED: "cancelled",
}

#: States in which nothing more happens.
OVER = frozenset({"done", "failed", "cancelled", "lost"})


class Watched(Protocol):
    """What the card needs of a task."""

    @property
    def done(self) -> bool:
        """Whether it is over."""

    @property
    def status(self) -> EventKind:
        """Kind of the latest event that changed what becomes of it."""

    @property
    def progress(self) -> int | None:
        """Percent, 0 to 100; ``None`` when nobody said."""

    @property
    def message(self) -> str | None:
        """The latest message beside the progress."""

    @property
    def logs(self) -> Sequence[tuple[str, str]]:
        """Lines of the log, each a level and a text."""

    def observe(self, callback: Callable[[TaskEvent], None], /) -> Callable[[], None]:
        """Call `callback` on the bridge thread with each event; return the function that ends that."""

    async def acancel(self) -> Any:
        """Ask for the end of the task."""


class TaskCard(Card):
    """How a call goes.

    Parameters
    ----------
    task
        Task to show, as `start` returns it; ``None`` keeps the card hidden until `attach`.
    name
        Name of the function that was called.
    """

    _esm = bundled("task.js")
    _css = bundled("task.css")

    #: ``idle`` (nothing is shown), ``waiting``, ``running``, ``cancelling``, ``done``, ``failed``, ``cancelled``
    #: or ``lost`` (whoever ran it went away).
    state = traitlets.Unicode("idle").tag(sync=True)
    #: Name of the function.
    name = traitlets.Unicode("").tag(sync=True)
    #: Percent, ``None`` shows a bar that only says that something goes on.
    progress = traitlets.Int(None, allow_none=True).tag(sync=True)
    #: Line below the bar.
    message = traitlets.Unicode("").tag(sync=True)
    #: The last lines of the log, each with ``level`` and ``text``.
    logs = traitlets.List(traitlets.Dict()).tag(sync=True)
    #: How many earlier lines the card does not have.
    dropped = traitlets.Int(0).tag(sync=True)
    #: What went wrong, in a sentence.
    error = traitlets.Unicode("").tag(sync=True)
    #: What was reported in full, folded.
    detail = traitlets.Unicode("").tag(sync=True)
    #: What to do about it.
    remedy = traitlets.Unicode("").tag(sync=True)
    #: Seconds since the call, as of the last change.
    elapsed = traitlets.Float(0.0).tag(sync=True)
    #: Whether there is something to cancel.
    can_cancel = traitlets.Bool(False).tag(sync=True)

    def __init__(self, task: Watched | None = None, *, name: str = "") -> None:
        self._lock = threading.Lock()
        self._task: Watched | None = None
        self._unobserve: Callable[[], None] | None = None
        self._due = False
        self._began = self._ended = 0.0
        super().__init__(name=name)
        if task is not None:
            self.attach(task)

    def commands(self) -> dict[str, Command]:
        """Return what to do with each kind of message."""
        return {"cancel": lambda _: self.cancel(), "time": lambda _: self._tell_time()}

    def plain(self) -> str:
        """Return the text that stands in for the card."""
        return f"{self.name}: {self.state}" if self.state != "idle" else ""

    def begin(self, name: str) -> None:
        """Show that `name` was called, before there is a task; what the card showed before is forgotten."""
        self.detach()
        with self._lock:
            self._began, self._ended = time.monotonic(), 0.0
        with self.hold_sync():
            self.name, self.state, self.progress, self.message = name, "waiting", None, ""
            self.logs, self.dropped = [], 0
            self.error = self.detail = self.remedy = ""
            self.elapsed, self.can_cancel = 0.0, False

    def forget(self) -> None:
        """Hide the card: the call never came to be."""
        self.detach()
        self.state = "idle"

    def attach(self, task: Watched) -> None:
        """Follow `task` until it is over."""
        if self.state == "idle":
            self.begin(self.name)
        with self._lock:
            self._task = task
            self._began = self._began or time.monotonic()
        self._unobserve = task.observe(self._changed)
        self._changed()

    def detach(self) -> None:
        """Stop following; the card keeps what it shows."""
        with self._lock:
            unobserve, self._unobserve, self._task = self._unobserve, None, None
        if unobserve is not None:
            unobserve()

    def fail(self, error: str, *, detail: str = "", remedy: str = "") -> None:
        """Show that the call did not end well."""
        with self.hold_sync():
            self.error, self.detail, self.remedy = error, detail, remedy
            if self.state not in OVER or self.state == "done":
                self.state = "failed"
            self.can_cancel = False
            self._stop_clock()

    def cancel(self) -> None:
        """Ask for the end of the task; returns at once."""
        with self._lock:
            task = self._task
        if task is not None and self.can_cancel:
            self.can_cancel = False
            bridge.spawn(self._cancel(task), name="cancel a task")

    def close(self) -> None:
        """Stop following and close the widget."""
        self.detach()
        super().close()

    async def _cancel(self, task: Watched) -> None:
        try:
            await task.acancel()
        except Exception as error:  # noqa: BLE001 - whatever it is, the person who pressed Cancel has to see it
            self.error = f"The task could not be cancelled: {error}"
            self.can_cancel = not task.done

    def _changed(self, *_event: object) -> None:
        """Have the browser told soon; called with every event, on the bridge thread or the caller's."""
        with self._lock:
            if self._due:
                return
            self._due = True
        loop = bridge.loop()
        loop.call_soon_threadsafe(loop.call_later, PACE, self._flush)

    def _flush(self) -> None:
        with self._lock:
            self._due = False
            task = self._task
        if task is not None:
            self.refresh(task)

    def refresh(self, task: Watched) -> None:
        """Take over what `task` says now."""
        lines = list(task.logs)
        shown = lines[-LOG_LINES:]
        with self.hold_sync():
            if self.state not in OVER:
                self.state = state_of(task.status, done=task.done)
            self.progress = task.progress
            self.message = task.message or ""
            self.logs = [{"level": level, "text": text} for level, text in shown]
            self.dropped = len(lines) - len(shown)
            self.can_cancel = not task.done and self.state != "cancelling"
            if task.done:
                self._stop_clock()
            else:
                self._tell_time()

    def _stop_clock(self) -> None:
        self._ended = self._ended or time.monotonic()
        self._tell_time()

    def _tell_time(self) -> None:
        if self._began:
            self.elapsed = (self._ended or time.monotonic()) - self._began


def state_of(status: EventKind, *, done: bool) -> str:
    """Return the card's state for the latest event that changed a task; one may end without any (a lost connection)."""
    state = _STATES.get(status, "running")
    return state if state in OVER or not done else "failed"
