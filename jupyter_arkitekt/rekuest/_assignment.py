"""One task that this process runs: arguments in, body, results and reports out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from jupyter_arkitekt import context
from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.models import _messages as m
from jupyter_arkitekt.models.rekuest import ActionKind
from jupyter_arkitekt.rekuest._body import Body, Outcome
from jupyter_arkitekt.rekuest._current import Level, Stopped, current
from jupyter_arkitekt.rekuest._functions import Function
from jupyter_arkitekt.rekuest._values import pack_returns, unpack_args

if TYPE_CHECKING:
    from jupyter_arkitekt.rekuest._nested import Children

logger = logging.getLogger("jupyter_arkitekt.rekuest")

#: Seconds between two reports of progress; what comes faster is thinned out, the last one always arrives.
PROGRESS_EVERY = 0.05

#: Seconds that an interrupted body gets until the task is reported as interrupted without it.
ABANDON_AFTER = 3.0


class _UnsendableError(ArgumentError):
    """A result does not fit its port."""


class Assignment:
    """A task from its ASSIGN to its last report.

    Parameters
    ----------
    assign
        What to run.
    function
        The function that is hosted under that name.
    app
        App that hosts; calls made by the body go to it.
    report
        Takes reports, on the background loop.
    children
        Calls that the body makes.
    """

    def __init__(
        self,
        assign: m.Assign,
        function: Function[..., Any],
        app: context.AppLike,
        report: Callable[[m.Report], None],
        children: Children,
    ) -> None:
        self.task = assign.task
        self.children = children
        self._assign = assign
        self._function = function
        self._app = app
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._body: Body | None = None
        self._work: asyncio.Task[None] | None = None
        self._interrupted = False
        self._held: m.Progress | None = None
        self._held_until: asyncio.TimerHandle | None = None
        self._reported_at = 0.0
        self._last: tuple[int | None, str | None] | None = None

    # -- on the background loop

    async def run(self) -> None:
        """Run the task to its end and report it."""
        self._work = asyncio.current_task()
        try:
            with context.use(self._app):
                outcome = await self._outcome()
            self._finish(outcome)
        except asyncio.CancelledError:
            # Stopped before the body began.
            self._finish(Outcome(stopped=True))
        except ArgumentError as error:
            self._end(m.Failed(task=self.task, error=str(error)))
        except Exception as error:
            logger.exception("%s could not be run", self._function.interface)
            self._end(m.Critical(task=self.task, error=f"{type(error).__name__}: {error}"))

    def stop(self, *, now: bool = False) -> None:
        """Stop the body: at the next point where it looks, or `now`."""
        self._interrupted = self._interrupted or now
        self.children.cancel_all()
        if self._body is not None:
            self._body.stop(now=now)
            if now:
                self._loop.call_later(ABANDON_AFTER, self._finish, Outcome(stopped=True))
        elif self._work is not None:
            self._work.cancel()

    def close(self, reason: str) -> None:
        """Stop because the process stops hosting: the caller is told `reason` at once."""
        self._end(m.Critical(task=self.task, error=reason))
        self.stop(now=True)

    async def _outcome(self) -> Outcome:
        function = self._function
        kwargs = await unpack_args(function.definition.args, self._assign.args, function.structures)
        async with function.turn():
            self._body = Body(function.function, kwargs, self._yield, self._surroundings())
            outcome = await self._body.run()
        if outcome.error is None and not outcome.stopped and function.definition.kind is ActionKind.FUNCTION:
            await self._yield(outcome.value)
        return outcome

    async def _yield(self, value: Any) -> None:
        try:
            returns = await pack_returns(self._function.definition.returns, value, self._function.structures)
        except ArgumentError as error:
            raise _UnsendableError(f"The result cannot be sent: {error}", port=error.port) from error
        self._flush()
        self._report(m.Yield(task=self.task, returns=returns))

    def _finish(self, outcome: Outcome) -> None:
        if outcome.stopped:
            kind = m.Interrupted if self._interrupted else m.Cancelled
            self._end(kind(task=self.task))
        elif outcome.error is None:
            self._end(m.Completed(task=self.task))
        elif isinstance(outcome.error, _UnsendableError):
            self._end(m.Failed(task=self.task, error=str(outcome.error)))
        else:
            self._tell_error(outcome.error)

    def _tell_error(self, error: BaseException) -> None:
        # The first frames are ours and tell the caller nothing.
        shown = error.__traceback__
        while shown is not None and shown.tb_frame.f_globals.get("__name__", "").startswith("jupyter_arkitekt.rekuest"):
            shown = shown.tb_next
        text = "".join(traceback.format_exception(type(error), error, shown or error.__traceback__))
        logger.error("%s raised in task %s\n%s", self._function.interface, self.task, text.rstrip())
        self._flush()
        self._report(m.Log(task=self.task, message=text, level="ERROR"))
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        self._end(m.Critical(task=self.task, error=said))

    def _end(self, report: m.Report) -> None:
        self._flush()
        self._report(report)

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[None]:
        """Let the body see this task and the app that hosts, and its requests carry the task's provenance."""
        from jupyter_arkitekt.transport.graphql import extra_headers

        current.set(self)
        if self._assign.token:
            extra_headers.set({"Rekuest-Task": self._assign.token})
        with context.use(self._app):
            yield

    # -- on the body's thread

    def check(self) -> None:
        """Raise `Stopped` if the body has to stop."""
        if self._body is not None and self._body.stopping:
            raise Stopped

    def progress(self, percent: int | None, message: str | None) -> None:
        """Report how far the body is."""
        if (percent, message) != self._last:
            self._last = percent, message
            report = m.Progress(task=self.task, progress=percent, message=message)
            self._loop.call_soon_threadsafe(self._progress, report)

    def log(self, message: str, level: Level) -> None:
        """Report a line."""
        self._loop.call_soon_threadsafe(self._report, m.Log(task=self.task, message=message, level=level))

    # -- thinning out, on the background loop

    def _progress(self, report: m.Progress) -> None:
        self._held = report
        wait = self._reported_at + PROGRESS_EVERY - time.monotonic()
        if wait <= 0:
            self._flush()
        elif self._held_until is None:
            self._held_until = self._loop.call_later(wait, self._flush)

    def _flush(self) -> None:
        if self._held_until is not None:
            self._held_until.cancel()
            self._held_until = None
        if self._held is not None:
            report, self._held = self._held, None
            self._reported_at = time.monotonic()
            self._report(report)
