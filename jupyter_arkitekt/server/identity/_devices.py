"""Device codes: an app shows a code, a person allows it on a page, the app gets its claim token (after RFC 8628)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update

from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.db.identity import claims, device_codes
from jupyter_arkitekt.server.identity._caller import IdentityError
from jupyter_arkitekt.server.identity._clients import register
from jupyter_arkitekt.server.identity._manifest import Manifest, read_manifest
from jupyter_arkitekt.server.identity._secrets import derive, digest

#: Seconds that a code may live at most, and how many may wait at a time.
MAX_SECONDS = 3600.0
MAX_WAITING = 1000


@dataclass(frozen=True, slots=True)
class Device:
    """A code and what a person decided about it: ``pending``, ``granted`` or ``denied``."""

    code: str
    manifest: Manifest
    status: str


class Devices:
    """The device codes of one platform."""

    def __init__(self, db: Database, key: bytes) -> None:
        self._db = db
        self._key = key

    def start(self, manifest: Manifest, seconds: float) -> str:
        """Return a new code for the app of `manifest`.

        Raises
        ------
        IdentityError
            If the time makes no sense, or too many codes wait already.
        """
        if not 0 < seconds <= MAX_SECONDS:
            raise IdentityError(f"expiration_time_seconds has to be between 1 and {MAX_SECONDS:.0f}")
        code, now = secrets.token_hex(4), time.time()
        with self._db.begin() as connection:
            connection.execute(delete(device_codes).where(device_codes.c.expires_at <= now))
            waiting = connection.execute(select(func.count()).select_from(device_codes)).scalar_one()
            if waiting >= MAX_WAITING:
                raise IdentityError("too many apps are waiting to be allowed; try again later")
            connection.execute(
                insert(device_codes).values(
                    code=code,
                    nonce=secrets.token_hex(32),
                    manifest=manifest.to_json(),
                    status="pending",
                    expires_at=now + seconds,
                    created_at=now,
                )
            )
        return code

    def find(self, code: str) -> Device | None:
        """Return the code that is still good, else ``None``."""
        with self._db.connect() as connection:
            row = connection.execute(_alive(code)).first()
        return None if row is None else _device(row)

    def decide(self, code: str, user_id: int | None, *, allow: bool) -> Device:
        """Allow a pending code in the name of a person, or deny it; nobody has to sign in to say no.

        Raises
        ------
        IdentityError
            If the code is not good any more, or was decided before.
        """
        with self._db.begin() as connection:
            row = connection.execute(_alive(code)).first()
            if row is None:
                raise IdentityError("this code is not known or has expired")
            if row.status != "pending":
                raise IdentityError(f"this code was {row.status} before")
            if allow:
                if user_id is None:
                    raise IdentityError("somebody has to sign in to allow an app")
                register(connection, read_manifest(row.manifest), user_id, self._claim_token(row), self._key)
            change = update(device_codes).where(device_codes.c.code == code)
            connection.execute(change.values(status="granted" if allow else "denied", user_id=user_id))
            return Device(code, read_manifest(row.manifest), "granted" if allow else "denied")

    def poll(self, code: str) -> tuple[str, str]:
        """Return the status of `code` and, once it is granted, the claim token. It may be asked for until it expires.

        Raises
        ------
        IdentityError
            If the code is not known or has expired.
        """
        with self._db.connect() as connection:
            row = connection.execute(_alive(code)).first()
            if row is None:
                raise IdentityError("this code is not known or has expired")
            if row.status != "granted":
                return row.status, ""
            token = self._claim_token(row)
            if connection.scalar(select(claims.c.id).where(claims.c.token_hash == digest(token))) is None:
                raise IdentityError("this code was made with another key of the platform; start again")
            return "granted", token

    def _claim_token(self, row: Row[tuple[object, ...]]) -> str:
        return derive(self._key, "device", row.code, row.nonce)


def _alive(code: str) -> Select[Any]:
    return select(device_codes).where(device_codes.c.code == code, device_codes.c.expires_at > time.time())


def _device(row: Row[tuple[object, ...]]) -> Device:
    return Device(row.code, read_manifest(row.manifest), row.status)
