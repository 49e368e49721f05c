"""The agent's side of the agent socket, without any I/O.

::

    IDLE ──announce──> ANNOUNCING ──announced──> CONNECTING ──opened──> REGISTERING ──INIT──> ACTIVE
                          ^   │                     │ ^                     │                   │
                          │   └──────lost──────┐  lost └───────┐          lost                lost
                          │                    v    v          │            │                   │
                          └────────────────── WAITING ─────────┘ <──────────┴───────────────────┘
    every state ──end──> ENDED

Whoever drives it tells what happened (`opened`, `receive`, `lost`) and what running bodies say (`report`), and does
what comes back. The promises that are kept here:

- A report that ends a task is kept until the server acknowledges it, and so are the results before it. They are sent
  again after each reconnect, in order, under the same ids.
- What could not be sent while the connection was down is sent when it is back.
- The server's inquiries are answered: a body that still runs says so, one that is unknown is given up.
- An ASSIGN that comes twice runs once.
"""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from jupyter_arkitekt.models import _messages as m

#: Results of one task that are kept for a reconnect before the task has ended. A stream that is longer loses the
#: oldest of them if the connection breaks, instead of growing for ever.
KEPT_YIELDS = 1000

#: Seconds before the attempts to connect again: the first, and the longest.
FIRST_DELAY, LONGEST_DELAY = 0.2, 15.0

#: Refusals in a row after which the server's words are believed.
MAX_REFUSALS = 4

BLOCKED, BUSY, DISPLACED = 4003, 4004, 4005
_GARBAGE = (3002, 3003)


class AgentState(StrEnum):
    """Where an agent stands."""

    IDLE = "idle"
    ANNOUNCING = "announcing"
    CONNECTING = "connecting"
    REGISTERING = "registering"
    ACTIVE = "active"
    WAITING = "waiting"
    ENDED = "ended"


_EDGES: dict[AgentState, frozenset[AgentState]] = {
    AgentState.IDLE: frozenset({AgentState.ANNOUNCING}),
    AgentState.ANNOUNCING: frozenset({AgentState.CONNECTING, AgentState.WAITING}),
    AgentState.CONNECTING: frozenset({AgentState.REGISTERING, AgentState.WAITING}),
    AgentState.REGISTERING: frozenset({AgentState.ACTIVE, AgentState.WAITING}),
    AgentState.ACTIVE: frozenset({AgentState.WAITING}),
    AgentState.WAITING: frozenset({AgentState.ANNOUNCING, AgentState.CONNECTING}),
    AgentState.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message."""

    message: m.Message


@dataclass(frozen=True, slots=True)
class Run:
    """Start a body."""

    assign: m.Assign


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a body: when it can be stopped, or `now`."""

    task: str
    now: bool


@dataclass(frozen=True, slots=True)
class Tell:
    """Hand a message to the calls that bodies made."""

    message: m.Message


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection and come back."""


@dataclass(frozen=True, slots=True)
class Active:
    """The agent is registered; tasks can come."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Stop for good, because of `reason`."""

    reason: str


Effect = Send | Run | Stop | Tell | Drop | Active | Ended


class AgentProtocol:
    """Decide what one agent does with what happens to it.

    Parameters
    ----------
    session
        Names this process; the server tells a reconnect from a restart by it.
    name
        What the agent is called in messages to people.
    jitter
        Gives a number in [-1, 1]: delays vary by a tenth, so that agents do not come back all at once.
    """

    def __init__(self, session: str, *, name: str, jitter: Callable[[], float] | None = None) -> None:
        self.session = session
        self.state = AgentState.IDLE
        self.agent: str | None = None
        self.reason = ""
        self._name = name
        self._jitter = jitter or (lambda: random.uniform(-1, 1))  # noqa: S311 - no secret
        self._seq = itertools.count(1)
        self._outbox: dict[str, m.Report] = {}
        self._ending: set[str] = set()
        self._yields: dict[str, deque[str]] = {}
        self._requests: dict[str, m.Message] = {}
        self._running: dict[str, m.Progress | None] = {}
        self._was_active = False
        self._failures = 0
        self._refusals = 0
        self._said: str | None = None
        self._pause: float | None = None

    @property
    def running(self) -> frozenset[str]:
        """Tasks whose end was not reported yet."""
        return frozenset(self._running)

    @property
    def ended(self) -> bool:
        """Whether it has stopped for good."""
        return self.state is AgentState.ENDED

    @property
    def settled(self) -> bool:
        """Whether everything that has to reach the server has."""
        return not self._outbox

    def announce(self) -> None:
        """Note that the offer is being told to the server."""
        self._go(AgentState.ANNOUNCING)

    def connect(self) -> None:
        """Note that the socket is being opened."""
        self._go(AgentState.CONNECTING)

    def opened(self, token: str) -> list[Effect]:
        """Note that the socket is open.

        A connection of this very process that the server still believes in is displaced, one of another is not.
        """
        self._go(AgentState.REGISTERING)
        self._said = None
        return [
            Send(m.Register(token=token, force=self._was_active, session_id=self.session)),
            Send(m.SessionInit(session_id=self.session)),
        ]

    def receive(self, text: str | bytes) -> list[Effect]:
        """Take a frame of the server.

        Raises
        ------
        ValueError
            If the frame makes no sense; it is to be logged and forgotten.
        """
        match m.to_agent(text):
            case m.Heartbeat():
                return [Send(m.HeartbeatAnswer())]
            case m.Init() as init:
                return self._init(init)
            case m.Assign() as assign:
                return self._assign(assign)
            case m.Cancel(task=task) if task in self._running:
                return [Stop(task, now=False)]
            case m.Interrupt(task=task) if task in self._running:
                return [Stop(task, now=True)]
            case m.EventAck(event=event):
                self._acknowledged(event)
            case (m.AssignResponse() | m.ControlResponse()) as answer:
                if self._requests.pop(answer.request, None) is not None:
                    return [Tell(answer)]
            case m.Mirror() as mirror:
                return [Tell(mirror)]
            case m.Bounce(duration=duration):
                self._pause = float(duration or 1)
                return [Drop()]
            case m.Kick(reason=reason):
                return self.end(f"{self._name} was sent away by the platform{f': {reason}' if reason else ''}.")
            case m.ProtocolError(error=error):
                self._said = error
        return []

    def report(self, report: m.Report) -> list[Effect]:
        """Take what a body says; what a task says after its end is forgotten."""
        if report.task not in self._running:
            return []
        before = self._running[report.task]
        if isinstance(report, m.TERMINAL):
            del self._running[report.task]
        elif isinstance(report, m.Progress):
            self._running[report.task] = report
        report.seq = next(self._seq)
        active = self.state is AgentState.ACTIVE
        if not active or self._kept(report):
            self._keep(report, before)
        return [Send(report)] if active else []

    def request(self, message: m.Message) -> list[Effect]:
        """Take a request of a body; it is sent again after a reconnect until it is answered."""
        self._requests[message.id] = message
        return [Send(message)] if self.state is AgentState.ACTIVE else []

    def forget(self, request: str) -> None:
        """Nobody waits for the answer to `request` any more."""
        self._requests.pop(request, None)

    def lost(self, code: int | None = None) -> float | None:
        """Note that the connection broke, or could not be made.

        Parameters
        ----------
        code
            Close code of the websocket, ``None`` if there was none.

        Returns
        -------
        float or None
            Seconds until the next attempt, ``None`` when there will be none.
        """
        if self.ended:
            return None
        reached = self.state is AgentState.ACTIVE
        why = self._final(code, reached)
        if why is not None:
            self.end(why)
            return None
        self._go(AgentState.WAITING)
        if reached:
            self._failures = 0
        pause, self._pause = self._pause, None
        delay = pause or min(FIRST_DELAY * 2**self._failures, LONGEST_DELAY)
        self._failures += 1
        return delay * (1 + 0.1 * self._jitter())

    def end(self, reason: str) -> list[Effect]:
        """Stop for good; `reason` is for people."""
        self.state = AgentState.ENDED
        self.reason = reason
        return [Ended(reason)]

    @property
    def refused(self) -> bool:
        """Whether the server did not take the last registration, so that it is worth announcing everything again."""
        return self._refusals > 0

    def _init(self, init: m.Init) -> list[Effect]:
        self._go(AgentState.ACTIVE)
        self.agent = init.agent
        self._was_active = True
        self._failures = self._refusals = 0
        effects: list[Effect] = [Active()]
        resent = list(self._outbox.values())
        self._outbox = {report.id: report for report in resent if self._kept(report)}
        effects += [Send(report) for report in resent]
        effects += [Send(request) for request in self._requests.values()]
        for inquiry in init.inquiries:
            if inquiry.task in self._running:
                last = self._running[inquiry.task]
                still = m.Progress(task=inquiry.task, progress=last.progress if last else 0, message="Still running")
                effects += self.report(still)
            elif inquiry.task not in self._ending:
                self._running[inquiry.task] = None
                effects += self.report(m.Critical(task=inquiry.task, error="This process does not run that task."))
        return effects

    def _assign(self, assign: m.Assign) -> list[Effect]:
        if assign.task in self._running or assign.task in self._ending:
            return []
        self._running[assign.task] = None
        return [Run(assign)]

    def _acknowledged(self, event: str) -> None:
        report = self._outbox.pop(event, None)
        if isinstance(report, m.TERMINAL):
            # The results that came before it on the same connection have arrived as well.
            self._ending.discard(report.task)
            for earlier in self._yields.pop(report.task, ()):
                self._outbox.pop(earlier, None)

    @staticmethod
    def _kept(report: m.Report) -> bool:
        return isinstance(report, (*m.TERMINAL, m.Yield))

    def _keep(self, report: m.Report, before: m.Progress | None) -> None:
        if isinstance(report, m.TERMINAL):
            self._ending.add(report.task)
        elif isinstance(report, m.Yield):
            yields = self._yields.setdefault(report.task, deque())
            yields.append(report.id)
            if len(yields) > KEPT_YIELDS:
                self._outbox.pop(yields.popleft(), None)
        elif isinstance(report, m.Progress) and before is not None:
            self._outbox.pop(before.id, None)
        self._outbox[report.id] = report

    def _final(self, code: int | None, reached: bool) -> str | None:
        """Say why there is no sense in coming back, ``None`` if there is."""
        said = f" It said: {self._said}" if self._said else ""
        if code == BLOCKED:
            return f"The platform has blocked {self._name}.{said} Ask who administers it to unblock this agent."
        if code == BUSY:
            return (
                f"{self._name} hosts functions in another process already.{said} Stop that one (another notebook, "
                "perhaps), or sign in here under another name."
            )
        if code == DISPLACED:
            return f"Another process took over hosting as {self._name}; this one has stopped.{said}"
        if code in _GARBAGE:
            return f"The platform does not understand {self._name} (close code {code}).{said} Update both sides."
        if not reached and self._said is not None:
            self._refusals += 1
            if self._refusals >= MAX_REFUSALS:
                return f"The platform refuses to register {self._name}.{said}"
        return None

    def _go(self, state: AgentState) -> None:
        if state not in _EDGES[self.state]:
            raise RuntimeError(f"an agent that is {self.state} cannot become {state}")
        self.state = state
