"""The broker: between those who call and the agents that execute.

All of it runs on the event loop's thread. What happens is first taken into the task (`_task`), recorded (`_journal`),
and only then told to agents and listeners.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Refuse
from jupyter_arkitekt.server.platform import Platform
from jupyter_arkitekt.server.rekuest._feeds import Feeds, created
from jupyter_arkitekt.server.rekuest._frames import MAX_FRAME, size, write
from jupyter_arkitekt.server.rekuest._journal import Journal
from jupyter_arkitekt.server.rekuest._mirrors import mirror
from jupyter_arkitekt.server.rekuest._party import Parties, Party
from jupyter_arkitekt.server.rekuest._seat import Frame, Link, Seat
from jupyter_arkitekt.server.rekuest._states import States
from jupyter_arkitekt.server.rekuest._task import ACKED, ASKED, TERMINAL, Event, Task
from jupyter_arkitekt.server.rekuest._timing import Timing

if TYPE_CHECKING:
    from jupyter_arkitekt.server.rekuest._messages import Report

logger = logging.getLogger("arkitekt.rekuest")

#: Close code of a service that restarts (RFC 6455 registry); agents come back with a delay.
RESTARTING = 1012


#: Seconds since the last sign of life of an agent that is expected back when the platform starts again.
_RECENTLY = 60.0


class Broker:
    """Tasks, agents and what is between them.

    Attributes
    ----------
    parties, feeds, timing, states
        Who is known, who listens, how long is waited, and what agents say of themselves.
    on_end
        Called with every task that has ended and has something to be done then.
    """

    def __init__(self, platform: Platform, timing: Timing) -> None:
        self._db = platform.db
        self._topics = platform.topics
        self.timing = timing
        self.parties = Parties(platform.db)
        self.feeds = Feeds(platform.topics)
        self.journal = Journal(platform.db, self._not_recorded)
        self.states = States(platform.db, self.journal, platform.topics)
        self._seats: dict[int, Seat] = {}
        self._seat_of: dict[int, Seat] = {}
        self._open: dict[int, Task] = {}
        self._stopping = False
        self.on_end: Callable[[Task], None] = lambda _task: None

    async def start(self) -> None:
        """Take up what the process before left: agents get their time to come back."""
        with self._db.connect() as connection:
            for row in connection.execute(select(db.agent)).mappings().all():
                seat = self.add_agent(row["id"], self.parties.get(row["party_id"]), row["name"])
                seat.blocked, seat.session, seat.last_seen = row["blocked"], row["session"], row["last_seen"]
            rows = connection.execute(select(db.task).where(~db.task.c.is_done).order_by(db.task.c.id)).mappings().all()
        for row in rows:
            task = Task(**{field.name: row[field.name] for field in fields(Task)})
            seat = self._seats[task.agent_id or 0]
            self._open[task.id] = seat.open[task.id] = task
            if task.session is None:
                seat.send(Frame(self._assignment(task), task=task.id))
        for seat in self._seats.values():
            if seat.open or time.time() - (seat.last_seen or 0) < _RECENTLY:
                seat.left = time.monotonic()
            if seat.open:
                self._wait_for(seat, self.timing.grace)

    async def stop(self) -> None:
        """Record everything and close the agents' sockets so that they come back later."""
        self._stopping = True
        for seat in self._seats.values():
            seat.stop_timer()
            if seat.link is not None:
                seat.link.hang_up(RESTARTING, "the platform restarts")
        self.journal.flush()

    # -- agents ------------------------------------------------------------------------------------------------------

    def seat(self, agent_id: int) -> Seat | None:
        """Return the agent with this id."""
        return self._seats.get(agent_id)

    def seat_of(self, party: Party) -> Seat | None:
        """Return the agent of `party`, if it has one."""
        return self._seat_of.get(party.id)

    def add_agent(self, agent_id: int, party: Party, name: str) -> Seat:
        """Make a new agent, or an agent under another name, known."""
        seat = self._seats.get(agent_id)
        if seat is None:
            seat = self._seats[agent_id] = self._seat_of[party.id] = Seat(agent_id, party, name)
        seat.name = name
        return seat

    def remove_agent(self, agent_id: int) -> None:
        """Forget an agent; its tasks end."""
        seat = self._seats.pop(agent_id, None)
        if seat is None:
            return
        self._seat_of.pop(seat.party.id, None)
        seat.stop_timer()
        for task in list(seat.open.values()):
            self._lose(task, f"the agent {seat.name} was removed")
        if seat.link is not None:
            seat.link.hang_up(4003, "the agent was removed")

    def block(self, agent_id: int, *, blocked: bool) -> None:
        """Keep an agent out, or let it in again."""
        seat = self._seats[agent_id]
        seat.blocked = blocked
        if blocked and seat.link is not None:
            seat.link.hang_up(4003, "the agent is blocked")

    def sit_down(self, seat: Seat, session: str, link: Link) -> None:
        """Take the socket of an agent; what another process of it was running is lost."""
        seat.stop_timer()
        if seat.link is not None:
            seat.link.hang_up(4005, "another connection of this agent took over")
        waiting = seat.waiting()
        if session != seat.session:
            for task in list(seat.open.values()):
                if task.id not in waiting:
                    self._lose(
                        task,
                        f"the agent {seat.name} was restarted while this ran; whether the function finished is unknown",
                    )
            seat.new_process(session)
            for frame in [frame for frame in seat.outbox if frame.task is None]:
                seat.outbox.remove(frame)
        for number in waiting & seat.open.keys():
            self._hand_over(seat.open[number], seat)
        seat.link, seat.left, seat.last_seen = link, None, time.time()
        self._save_seat(seat)
        self._recall(seat)
        inquiries = [{"task": str(task.id)} for task in seat.open.values() if task.id not in waiting]
        seat.outbox.appendleft(Frame(write("INIT", agent=str(seat.id), inquiries=inquiries), volatile=True))
        link.wake()
        self._publish(seat)

    def _recall(self, seat: Seat) -> None:
        """Tell an agent once more which of its calls have ended: the frame that said so may have gone down with the link."""
        running = [task.id for task in seat.open.values()]
        if not running:
            return
        ended = (
            select(db.task_event)
            .join(db.task, db.task.c.id == db.task_event.c.task_id)
            .where(db.task.c.parent_id.in_(running), db.task.c.over_socket, db.task.c.is_done)
            .where(db.task_event.c.kind.in_(TERMINAL))
        )
        with self._db.connect() as connection:
            for row in connection.execute(ended.order_by(db.task_event.c.id)).mappings():
                seat.send(Frame(mirror(Event(**row))))

    def stand_up(self, seat: Seat, link: Link, *, said_goodbye: bool) -> None:
        """Note that the socket `link` of an agent is gone."""
        if seat.link is not link:
            return
        seat.link = None
        for frame in [frame for frame in seat.outbox if frame.volatile]:
            seat.outbox.remove(frame)
        seat.left = None if said_goodbye else time.monotonic()
        self._save_seat(seat)
        self.states.end(seat.id, seat.session)
        if seat.open and not self._stopping:
            self._wait_for(seat, self.timing.goodbye if said_goodbye else self.timing.grace)
        self._publish(seat)

    def alive(self, seat: Seat) -> None:
        """Note a sign of life."""
        seat.last_seen = time.time()
        self._save_seat(seat)

    def _hand_over(self, task: Task, seat: Seat) -> None:
        # Recorded before it is sent: an ASSIGN that may have arrived must never be sent to the same process twice.
        task.session = seat.session
        self.journal.change(task)

    def _publish(self, seat: Seat) -> None:
        kind = "CONNECT" if seat.link is not None else "DISCONNECT"
        self.journal.after(lambda: self._topics.publish(("agents", seat.party.organisation_id), (kind, seat.id)))

    def _save_seat(self, seat: Seat) -> None:
        row = {"session": seat.session, "last_seen": seat.last_seen}
        self.journal.execute(update(db.agent).where(db.agent.c.id == seat.id).values(**row), [{}])

    def _wait_for(self, seat: Seat, seconds: float) -> None:
        seat.stop_timer()
        seat.timer = asyncio.get_running_loop().call_later(seconds, self._give_up, seat, seconds)

    def _give_up(self, seat: Seat, seconds: float) -> None:
        """Decide over the tasks of an agent that did not come back; nobody who called is left waiting for ever."""
        seat.timer = seat.left = None
        queued = False
        waiting = seat.waiting()
        for task in list(seat.open.values()):
            if task.is_done:  # went with its parent
                continue
            if task.idempotent and not task.physical and task.latest_event_kind != "QUEUED":
                task.session = None
                if task.id not in waiting:
                    seat.send(Frame(self._assignment(task), task=task.id))
                self._happen(task, "QUEUED", message=f"waits for the agent {seat.name} to come back")
                queued = True
                continue
            begun = "the function was not begun" if seat.withdraw(task) else "whether the function finished is unknown"
            self._lose(task, f"the agent {seat.name} went away and did not come back within {seconds:g} s; {begun}")
        for frame in [frame for frame in seat.outbox if frame.task is None]:
            seat.outbox.remove(frame)
        if queued:
            self._wait_for(seat, self.timing.requeue)

    def _lose(self, task: Task, why: str) -> None:
        """End a task whose agent is lost; what it had called is cancelled."""
        if task.is_done:
            return
        self._happen(task, "CRITICAL", message=why)
        for child in [one for one in self._open.values() if one.parent_id == task.id]:
            if not child.is_done:
                self.control(child, "CANCEL")

    # -- calls -------------------------------------------------------------------------------------------------------

    def choose(self, offers: list[dict[str, Any]], what: str) -> tuple[dict[str, Any], Seat]:
        """Return the offer to hand a call to: live, or about to be, and the least busy.

        Raises
        ------
        Refuse
            If nobody who offers it is there.
        """
        found = [(offer, seat) for offer in offers if (seat := self._seats.get(offer["agent_id"])) is not None]
        there = [pair for pair in found if pair[1].is_live(self.timing)]
        there = there or [pair for pair in found if pair[1].is_expected(self.timing)]
        if there:
            return min(there, key=lambda pair: len(pair[1].open))
        hosts = ", ".join(sorted({seat.name for _, seat in found})) or "nobody"
        raise Refuse(
            f"nobody hosts {what} now (offered by {hosts}, not connected); start the app that offers it, and call again",
            code="NO_AGENT",
        )

    def assign(self, task: Task) -> Task:
        """Record `task` and hand it to its agent.

        Raises
        ------
        Refuse
            If its arguments are too large for a frame.
        """
        seat = self._seats[task.agent_id or 0]
        frame = self._assignment(task)
        if size(frame) > MAX_FRAME:
            raise Refuse(
                f"the arguments take {size(frame)} bytes, {MAX_FRAME} is the most; upload large values and pass a reference",
                code="TOO_LARGE",
            )
        self._open[task.id] = seat.open[task.id] = task
        if seat.link is not None:
            task.session = seat.session
        elif seat.timer is None:
            self._wait_for(seat, self.timing.grace)
        self.journal.create(task)
        self.journal.instruct(task, "ASSIGN", task.created_at)
        change = created(task)

        def tell() -> None:
            self.feeds.create(task, change)
            if not task.is_done:
                seat.send(Frame(frame, task=task.id))

        self.journal.after(tell)
        return task

    def new_task(self, party: Party, offer: dict[str, Any], **given: Any) -> Task:
        """Return a task of `party` for `offer`, not recorded yet; `given` are further columns."""
        now = time.time()
        return Task(
            id=self.journal.task_id(),
            organisation_id=party.organisation_id,
            party_id=party.id,
            action_id=offer["action_id"],
            action_hash=offer["hash"],
            implementation_id=offer["id"],
            agent_id=offer["agent_id"],
            interface=offer["interface"],
            idempotent=offer["idempotent"],
            physical=offer["effect"] == "PHYSICAL",
            created_at=now,
            updated_at=now,
            **given,
        )

    def task(self, task_id: int) -> Task | None:
        """Return a task that has not ended."""
        return self._open.get(task_id)

    def of_reference(self, party: Party, reference: str) -> int | None:
        """Return the number of the task that `party` made under `reference` over its socket."""
        for task in self._open.values():
            if task.over_socket and task.party_id == party.id and task.reference == reference:
                return task.id
        same = select(db.task.c.id).where(db.task.c.party_id == party.id, db.task.c.reference == reference)
        same = same.where(db.task.c.over_socket)
        with self._db.connect() as connection:
            found: int | None = connection.scalar(same.limit(1))
        return found

    def control(self, task: Task, kind: str, *, step: bool = False) -> None:
        """Ask the agent to cancel, interrupt, pause or resume `task`; an interrupt reaches its children too."""
        now = time.time()
        task.latest_instruct_kind = kind
        self.journal.instruct(task, kind, now)
        self._happen(task, ASKED[kind])
        seat = self._seats.get(task.agent_id or 0)
        if seat is not None and kind in ("CANCEL", "INTERRUPT") and seat.withdraw(task):
            self._happen(task, "CANCELLED" if kind == "CANCEL" else "INTERRUPTED", message="before it had begun")
        elif seat is not None:
            frame = write(kind, task=str(task.id), **({"step": step} if kind == "RESUME" else {}))
            self.journal.after(lambda: seat.send(Frame(frame)))
        if kind == "INTERRUPT":  # a cancel is passed on by the agent itself, to what its body waits for
            for child in [one for one in self._open.values() if one.root_id == task.id]:
                self.control(child, kind)

    def interrupt_later(self, task: Task, seconds: float) -> None:
        """Interrupt `task` if it has not ended in so many seconds."""

        def interrupt() -> None:
            if not task.is_done:
                self.control(task, "INTERRUPT")

        asyncio.get_running_loop().call_later(seconds, interrupt)

    def collect(self, agent_id: int, drawers: list[str]) -> None:
        """Tell an agent that nobody needs the values in `drawers` any more."""
        seat = self._seats.get(agent_id)
        if seat is not None:
            seat.send(Frame(write("COLLECT", drawers=drawers)))

    def say(self, agent_id: int, kind: str, **fields_: Any) -> None:
        """Send an agent a message that matters to its present connection only."""
        seat = self._seats.get(agent_id)
        if seat is not None:
            seat.send(Frame(write(kind, **fields_), volatile=True))

    def report(self, seat: Seat, report: Report) -> None:
        """Take what an agent says of a task. Terminal reports are acknowledged once they are recorded."""
        task = seat.open.get(int(report.task)) if report.task.isdigit() and len(report.task) < 19 else None
        repeated = seat.is_repeated(report.seq)
        if task is not None and not repeated:
            self._happen(
                task,
                report.type,
                message=report.error if report.error is not None else report.message,
                progress=None if report.progress is None else int(report.progress),
                returns=report.returns,
                level=report.level,
            )
        if report.type in ACKED:
            ack = write("EVENT_ACK", event=report.id, task=report.task, seq=report.seq)
            self.journal.after(lambda: seat.send(Frame(ack, volatile=True)))

    def _assignment(self, task: Task) -> str:
        caller = self.parties.get(task.party_id)
        return write(
            "ASSIGN",
            interface=task.interface,
            step=task.step or None,
            task=str(task.id),
            root=None if task.root_id is None else str(task.root_id),
            parent=None if task.parent_id is None else str(task.parent_id),
            resolution=task.resolution,
            capture=task.capture,
            reference=task.reference,
            args=task.args,
            message=None,
            user=caller.sub,
            org=caller.organisation,
            action=task.action_hash,
            implementation=str(task.implementation_id),
            token=None,
        )

    def _happen(
        self,
        task: Task,
        kind: str,
        *,
        message: str | None = None,
        progress: int | None = None,
        returns: dict[str, Any] | None = None,
        level: str = "INFO",
    ) -> None:
        event = Event(self.journal.event_id(), task.id, kind, time.time(), message, progress, returns, level)
        task.apply(event)
        self.journal.event(event)
        self.journal.change(task)
        change = created(task)
        self.journal.after(lambda: self._tell(task, event, change))
        if task.is_done:
            self._open.pop(task.id, None)
            seat = self._seats.get(task.agent_id or 0)
            if seat is not None:
                seat.open.pop(task.id, None)
            if task.cleanup_hooks:
                self.journal.after(lambda: self.on_end(task))

    def _tell(self, task: Task, event: Event, change: dict[str, Any]) -> None:
        self.feeds.event(task, event, change)
        if task.over_socket:
            seat = self.seat_of(self.parties.get(task.party_id))
            if seat is not None:
                seat.send(Frame(mirror(event)))

    def _not_recorded(self, tasks: list[Task], error: Exception) -> None:
        """Undo what could not be recorded: new tasks never were; agents are asked to report the others again."""
        numbers = [task.id for task in tasks]
        rows: dict[int, Any] = {}
        try:
            with self._db.connect() as connection:
                found = connection.execute(select(db.task).where(db.task.c.id.in_(numbers))).mappings()
                rows = {row["id"]: row for row in found}
        except Exception:
            logger.exception("The tasks %s cannot be read either", numbers)
        for task in tasks:
            seat = self._seats.get(task.agent_id or 0)
            row = rows.get(task.id)
            if row is None or row["is_done"]:
                self._open.pop(task.id, None)
                if seat is not None:
                    seat.open.pop(task.id, None)
                continue
            for field in fields(Task):
                setattr(task, field.name, row[field.name])
            self._open[task.id] = task
            if seat is not None:
                seat.open[task.id] = task
                seat.new_process(seat.session or "")
                if seat.link is not None:
                    seat.link.hang_up(RESTARTING, "a report could not be recorded; send it again")
        logger.error("%d tasks were put back because of: %s", len(tasks), error)
