"""States of agents: what they were at the start of a process, and every change since."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select, update

from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.rekuest._journal import Journal
from jupyter_arkitekt.server.rekuest._json_patch import PatchError, apply
from jupyter_arkitekt.server.rekuest._rows import Row, number
from jupyter_arkitekt.server.topics import Topics

if TYPE_CHECKING:
    from jupyter_arkitekt.server.rekuest._messages import SessionInit, StatePatch, StateSnapshot

logger = logging.getLogger("arkitekt.rekuest")

_INSERT_SNAPSHOT = insert(db.snapshot)
_INSERT_PATCH = insert(db.patch)


class States:
    """Recorder of the states of all agents."""

    def __init__(self, database: Database, journal: Journal, topics: Topics) -> None:
        self._db = database
        self._journal = journal
        self._topics = topics
        self._states: dict[int, dict[str, int]] = {}
        self._sessions: dict[tuple[int, str], int] = {}

    def forget(self, agent_id: int) -> None:
        """Look the states of an agent up again: its offer changed."""
        self._states.pop(agent_id, None)

    def begin(self, agent_id: int, message: SessionInit) -> None:
        """Take the states with which a process of an agent starts."""
        self._record(agent_id, message.session_id, 0, message.states)

    def snapshot(self, agent_id: int, message: StateSnapshot) -> None:
        """Take a full dump."""
        self._record(agent_id, message.session_id, message.global_rev, message.snapshots)

    def patch(self, agent_id: int, message: StatePatch) -> None:
        """Take one change."""
        state_id = self._state(agent_id, message.state_name)
        if state_id is None:
            return
        row: Row = {
            "id": self._journal.next_id(db.patch.name),
            "session_id": self._session(agent_id, message.session_id),
            "state_id": state_id,
            "revision": message.global_rev,
            "op": message.op,
            "path": message.path,
            "value": message.value,
            "old_value": message.old_value,
            "task_id": number(message.task_id) or None,
            "timestamp": message.ts,
        }
        self._journal.execute(_INSERT_PATCH, [row])
        told = row | {"interface": message.state_name, "session": message.session_id, "agent_id": agent_id}
        for key in (("state", state_id), ("agent-states", agent_id)):
            self._journal.after(lambda key=key: self._topics.publish(key, told))  # type: ignore[misc]  # binds key

    def end(self, agent_id: int, session: str | None) -> None:
        """Note that the connection of a process of an agent is gone."""
        found = self._sessions.get((agent_id, session or ""))
        if found is not None:
            statement = update(db.session).where(db.session.c.id == found).values(ended_at=time.time())
            self._journal.execute(statement, [{}])

    def _record(self, agent_id: int, session: str, revision: int, values: dict[str, Any]) -> None:
        session_id, now = self._session(agent_id, session), time.time()
        rows = [
            {
                "id": self._journal.next_id(db.snapshot.name),
                "session_id": session_id,
                "state_id": state_id,
                "revision": revision,
                "value": value,
                "timestamp": now,
            }
            for name, value in values.items()
            if (state_id := self._state(agent_id, name)) is not None
        ]
        if rows:
            self._journal.execute(_INSERT_SNAPSHOT, rows)

    def _state(self, agent_id: int, name: str) -> int | None:
        known = self._states.get(agent_id)
        if known is None:
            mine = select(db.state.c.interface, db.state.c.id).where(db.state.c.agent_id == agent_id)
            with self._db.connect() as connection:
                known = self._states[agent_id] = {row.interface: row.id for row in connection.execute(mine)}
        found = known.get(name)
        if found is None:
            logger.warning("Agent %d reports on a state that it does not offer: %.80r", agent_id, name)
        return found

    def _session(self, agent_id: int, session: str) -> int:
        known = self._sessions.get((agent_id, session))
        if known is not None:
            return known
        with self._db.begin() as connection:
            found = connection.scalar(select(db.session.c.id).filter_by(agent_id=agent_id, session=session))
            if found is None:
                row = {"agent_id": agent_id, "session": session, "started_at": time.time()}
                inserted = connection.execute(insert(db.session).values(row)).inserted_primary_key
                assert inserted is not None
                found = int(inserted[0])
            else:
                connection.execute(update(db.session).where(db.session.c.id == found).values(ended_at=None))
        self._sessions[agent_id, session] = found
        return found


def value_at(
    connection: Connection,
    state_id: int,
    *,
    session: str | None = None,
    revision: int | None = None,
    timestamp: float | None = None,
) -> Row | None:
    """Return what a state was: ``value``, ``revision``, ``session``, ``session_id`` and ``timestamp``.

    Parameters
    ----------
    session
        Process of the agent, by its own name or by our number; the last one when it is ``None``.
    revision, timestamp
        The last change to take; all of them when both are ``None``.

    Returns
    -------
    dict or None
        ``None`` if the state was never reported.
    """
    snapshots = (
        select(db.snapshot, db.session.c.session)
        .join(db.session, db.session.c.id == db.snapshot.c.session_id)
        .where(db.snapshot.c.state_id == state_id)
        .order_by(db.snapshot.c.session_id.desc(), db.snapshot.c.revision.desc(), db.snapshot.c.id.desc())
        .limit(1)
    )
    if session is not None:
        snapshots = snapshots.where((db.session.c.session == session) | (db.session.c.id == number(session)))
    if revision is not None:
        snapshots = snapshots.where(db.snapshot.c.revision <= revision)
    if timestamp is not None:
        snapshots = snapshots.where(db.snapshot.c.timestamp <= timestamp)
    found = connection.execute(snapshots).mappings().first()
    if found is None:
        return None
    result = dict(found)
    patches = (
        select(db.patch)
        .where(db.patch.c.state_id == state_id, db.patch.c.session_id == found["session_id"])
        .where(db.patch.c.revision > found["revision"])
        .order_by(db.patch.c.revision, db.patch.c.id)
    )
    if revision is not None:
        patches = patches.where(db.patch.c.revision <= revision)
    if timestamp is not None:
        patches = patches.where(db.patch.c.timestamp <= timestamp)
    for patch in connection.execute(patches).mappings():
        try:
            result["value"] = apply(result["value"], patch["op"], patch["path"], patch["value"])
        except PatchError as error:
            logger.warning("Patch %d of state %d does not fit: %s", patch["id"], state_id, error)
        result["revision"], result["timestamp"] = patch["revision"], patch["timestamp"]
    return result
