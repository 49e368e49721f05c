"""How long the broker waits for an agent. The defaults are the wire's; a test or a lab sets others by environment."""

from __future__ import annotations

from dataclasses import dataclass, fields

from jupyter_arkitekt import config
from jupyter_arkitekt.errors import ConfigError

_PREFIX = "ARKITEKT_AGENT_"


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in seconds; ``ARKITEKT_AGENT_GRACE=5`` in the environment of the server sets `grace`.

    Attributes
    ----------
    greeting
        For the first frame on a new socket.
    heartbeat
        Between two heartbeats.
    answer
        For the answer to a heartbeat.
    stale
        After its last answer an agent is not assigned to any more.
    away
        After its connection broke an agent is still expected back: calls wait for it.
    grace
        After its connection broke an agent's running tasks are given up.
    goodbye
        After it closed its connection in order an agent's running tasks are given up.
    requeue
        An idempotent task that was given up and queued again waits for its agent.
    """

    greeting: float = 10.0
    heartbeat: float = 10.0
    answer: float = 5.0
    stale: float = 30.0
    away: float = 10.0
    grace: float = 30.0
    goodbye: float = 3.0
    requeue: float = 300.0

    @classmethod
    def from_env(cls) -> Timing:
        """Read the durations that the environment sets.

        Raises
        ------
        ConfigError
            If one of them is no positive number of seconds.
        """
        given: dict[str, float] = {}
        for field in fields(cls):
            name = _PREFIX + field.name.upper()
            text = config.env(name)
            if text is None:
                continue
            try:
                seconds = float(text)
            except ValueError:
                seconds = -1.0
            if not 0 < seconds < float("inf"):
                raise ConfigError(f"{name} is {text!r}; give a positive number of seconds, or unset it.")
            given[field.name] = seconds
        return cls(**given)
