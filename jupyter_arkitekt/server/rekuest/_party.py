"""Who calls and who executes: both are a client of a user in an organisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.db.rekuest import party as table
from jupyter_arkitekt.server.identity import Caller


@dataclass(frozen=True, slots=True)
class Party:
    """One triple of client, user and organisation, with the names that the wire wants to see."""

    id: int
    client_id: str
    user_id: int
    organisation_id: int
    sub: str
    username: str
    organisation: str
    app: str
    release: str
    device: str | None

    @property
    def label(self) -> str:
        """Application and version, for messages."""
        return f"{self.app}:{self.release}"


class Parties:
    """All parties, each made when it is first seen."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._by_id: dict[int, Party] = {}
        self._by_triple: dict[tuple[str, int, int], Party] = {}

    def of(self, caller: Caller) -> Party:
        """Return the party that `caller` acts for."""
        triple = (caller.client_id, caller.user_id, caller.organisation_id)
        known = self._by_triple.get(triple)
        facts = {
            "sub": caller.sub,
            "username": caller.username,
            "organisation": caller.organisation,
            "app": caller.app,
            "release": caller.release,
            "device": caller.device,
        }
        if known is not None and all(getattr(known, name) == value for name, value in facts.items()):
            return known
        return self._remember(self._save(triple, facts))

    def get(self, party_id: int) -> Party:
        """Return the party with this id, which is known to exist."""
        known = self._by_id.get(party_id)
        if known is not None:
            return known
        with self._db.connect() as connection:
            row = connection.execute(select(table).where(table.c.id == party_id)).mappings().one()
        return self._remember(Party(**row))

    def _save(self, triple: tuple[str, int, int], facts: dict[str, Any]) -> Party:
        key: dict[str, Any] = dict(zip(("client_id", "user_id", "organisation_id"), triple, strict=True))
        with self._db.begin() as connection:
            found = connection.scalar(select(table.c.id).filter_by(**key))
            if found is None:
                inserted = connection.execute(insert(table).values(**key, **facts)).inserted_primary_key
                assert inserted is not None
                found = int(inserted[0])
            else:
                connection.execute(update(table).where(table.c.id == found).values(**facts))
        return Party(id=found, **key, **facts)

    def _remember(self, party: Party) -> Party:
        self._by_id[party.id] = party
        self._by_triple[party.client_id, party.user_id, party.organisation_id] = party
        return party
