"""The caller's side over GraphQL: one feed per app, and calls that nothing can make hang.

The feed (the subscription ``mytasks``) brings every event of every call of this app. It may start later than the first
call is over, it may break, and another process of the same app may get what was kept for us. So the server's record of
a call is asked for as well: when the feed was interrupted, and now and then while nothing is heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict

from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.errors import ArkitektError, ConnectError, DeadlineError, ServerError
from jupyter_arkitekt.models import rekuest as words
from jupyter_arkitekt.rekuest._hosts import who_hosts
from jupyter_arkitekt.rekuest._task import Task

#: Seconds of silence after which the record is asked for: at first, and at most. While the feed works, it is asked at
#: the longest interval only.
FIRST_LOOK, LAST_LOOK = 0.25, 15.0

#: Seconds that the first call waits for the feed to be open.
FEED_TIMEOUT = 10.0

#: Tasks whose events may come before we know that they are ours.
MAX_EARLY = 200


class _Look:
    """When the record of a task is asked for next."""

    def __init__(self) -> None:
        self.interval = FIRST_LOOK
        self.due = time.monotonic() + FIRST_LOOK

    def heard(self) -> None:
        self.interval = LAST_LOOK
        self.due = time.monotonic() + LAST_LOOK

    def looked(self) -> None:
        self.interval = min(self.interval * 2, LAST_LOOK)
        self.due = time.monotonic() + self.interval


class Caller:
    """What an app has called. Everything runs on the background loop."""

    def __init__(self, app: AppLike) -> None:
        self._client = app.service("rekuest")
        self._sending: dict[str, Task] = {}
        self._open: dict[str, Task] = {}
        self._looks: dict[str, _Look] = {}
        self._early: OrderedDict[str, list[words.TaskEvent]] = OrderedDict()
        self._feed: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self._nudged = asyncio.Event()

    # -- the line of a task

    async def assign(self, task: Task) -> None:
        """Send a call; its events are heard from here on.

        Raises
        ------
        NoAgentError
            If nobody hosts the action now.
        ServerError, ConnectError
            If the platform refuses, or cannot be reached.
        """
        if await self._listen():
            # A service does not say when a new feed has begun: the first call's events may be gone before.
            task.mark_gap()
        self._sending[task.reference] = task
        try:
            made = await self._client.mutate(
                "assign",
                words.TaskChange,
                input={
                    "action": task.action.id,
                    "args": task.args,
                    "reference": task.reference,
                    "capture": False,
                    "hooks": [],
                },
            )
            self._bind(task, made.id)
        except ServerError as error:
            raise await who_hosts(self._client, task.action, error) from error
        except (ConnectError, DeadlineError):
            if not task.id:
                raise
            # The answer was lost, the feed has told that the call has arrived.
        finally:
            self._sending.pop(task.reference, None)
            if not self._sending:
                self._early.clear()

    async def stop(self, task: Task, *, now: bool) -> None:
        """Cancel the task, or interrupt it `now`."""
        await self._client.mutate("interrupt" if now else "cancel", words.TaskChange, input={"task": task.id})

    async def refresh(self, task: Task) -> None:
        """Bring the task what the server recorded of it."""
        record = await self._client.query("task", words.Task, id=task.id)
        task.merge(record.events)
        self._settle(task)

    async def aclose(self) -> None:
        """End the feed; calls that are still waited for fail."""
        running = [task for task in (self._feed, self._watch) if task is not None and not task.done()]
        for one in running:
            one.cancel()
        if running:
            await asyncio.wait(running)
        self._fail(ConnectError("The app was closed while this call was under way. It may still be running."))

    # -- the feed

    async def _listen(self) -> bool:
        """Have the feed open before anything is sent, as far as one can know; say whether it is new."""
        if self._feed is None or self._feed.done():
            self._opened = asyncio.Event()
            self._feed = asyncio.ensure_future(self._follow())
        if self._opened.is_set():
            return False
        opened = asyncio.ensure_future(self._opened.wait())
        try:
            await asyncio.wait([opened, self._feed], timeout=FEED_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            opened.cancel()
        if self._feed.done():
            error = self._feed.exception()
            if error is not None:
                raise error
        return True

    async def _follow(self) -> None:
        try:
            async with contextlib.aclosing(
                self._client.subscribe(
                    "mytasks", words.TaskChangeEvent, on_start=self._opened.set, on_resume=self._resumed
                )
            ) as changes:
                async for change in changes:
                    self._take(change)
            raise ConnectError("The platform ended the feed of tasks.")
        except ArkitektError as error:
            self._fail(error)
            raise

    def _take(self, change: words.TaskChangeEvent) -> None:
        if change.create is not None:
            task = self._sending.get(change.create.reference or "")
            if task is not None:
                self._bind(task, change.create.id)
            look = self._looks.get(change.create.id)
            if look is not None:
                look.heard()
        if change.event is not None:
            event = words.TaskEvent.model_validate(change.event.model_dump())
            task = self._open.get(change.event.task)
            if task is not None:
                self._looks[change.event.task].heard()
                task.take(event)
                self._settle(task)
            elif self._sending:
                self._early.setdefault(change.event.task, []).append(event)
                if len(self._early) > MAX_EARLY:
                    self._early.popitem(last=False)

    def _bind(self, task: Task, id_: str) -> None:
        if task.id:
            return
        task.bind(id_)
        self._open[id_] = task
        self._looks[id_] = _Look()
        for event in self._early.pop(id_, ()):
            self._looks[id_].heard()
            task.take(event)
        self._settle(task)
        self._nudge()

    def _settle(self, task: Task) -> None:
        if task.done:
            self._open.pop(task.id, None)
            self._looks.pop(task.id, None)

    def _resumed(self) -> None:
        """Look at once: what happened while the connection was down is not sent again."""
        for id_, task in self._open.items():
            task.mark_gap()
            self._looks[id_].due = 0.0
        self._nudge()

    def _fail(self, error: ArkitektError) -> None:
        for task in list(self._open.values()):
            task.fail(error)
            self._settle(task)

    # -- the record

    def _nudge(self) -> None:
        self._nudged.set()
        if self._open and (self._watch is None or self._watch.done()):
            self._watch = asyncio.ensure_future(self._look_after())

    async def _look_after(self) -> None:
        """Ask for the record of tasks of which nothing is heard, while there are open ones."""
        while self._open:
            self._nudged.clear()
            due = [id_ for id_, look in self._looks.items() if look.due <= time.monotonic()]
            if due:
                await self._look(due)
            soonest = min((look.due for look in self._looks.values()), default=0.0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), max(0.02, soonest - time.monotonic()))

    async def _look(self, ids: list[str]) -> None:
        for id_ in ids:
            self._looks[id_].looked()
        try:
            records = await self._client.query("tasks", list[words.Task], filters={"ids": ids})
        except (ConnectError, DeadlineError, ServerError):
            return  # the feed decides when the platform counts as lost
        for record in records:
            task = self._open.get(record.id)
            if task is not None:
                task.merge(record.events)
                self._settle(task)


def caller_of(app: AppLike) -> Caller:
    """Return the caller of `app`."""
    return app.slot("rekuest.caller", lambda: Caller(app))
