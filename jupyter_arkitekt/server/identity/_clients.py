"""Registered apps, what they were registered with, and their access tokens."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, delete, insert, select

from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.db.identity import access_tokens, claims, clients, organisations, users
from jupyter_arkitekt.server.identity._caller import Caller, IdentityError, Unauthenticated
from jupyter_arkitekt.server.identity._manifest import Manifest, read_manifest
from jupyter_arkitekt.server.identity._secrets import derive, digest, new_token, same

#: Seconds that an access token lives.
TOKEN_SECONDS = 86_400

#: Seconds that a caller is remembered before the database is asked again: so long a revocation takes to be felt.
_REMEMBERED = 1.0
_MAX_REMEMBERED = 4096


class InvalidClientError(IdentityError):
    """Client id and secret do not belong together."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim token stands for."""

    client_id: str
    client_secret: str
    manifest: Manifest
    username: str


def register(connection: Connection, manifest: Manifest, user_id: int, claim_token: str, key: bytes) -> int:
    """Register the app of `manifest` for a person and return the id of the claim.

    The client is the same for the same app, version, person and machine; each registration adds a secret.
    """
    organisation = connection.execute(select(users.c.organisation_id).where(users.c.id == user_id)).scalar_one()
    identity: dict[str, Any] = {
        "identifier": manifest.identifier,
        "version": manifest.version,
        "user_id": user_id,
        "organisation_id": organisation,
        "node": manifest.node,
    }
    found = connection.scalar(select(clients.c.id).filter_by(**identity))
    now = time.time()
    if found is None:
        made = connection.execute(insert(clients).values(client_id=str(uuid.uuid4()), created_at=now, **identity))
        found = _key_of(made)
    claim = connection.execute(
        insert(claims).values(
            token_hash=digest(claim_token),
            secret_hash=digest(_secret(key, claim_token)),
            client=found,
            manifest=manifest.to_json(),
            created_at=now,
        )
    )
    return _key_of(claim)


def _key_of(result: CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def _secret(key: bytes, claim_token: str) -> str:
    return derive(key, "client secret", claim_token)


class Clients:
    """The registered apps of one platform."""

    def __init__(self, db: Database, key: bytes) -> None:
        self._db = db
        self._key = key
        self._remembered: dict[str, tuple[Caller, float]] = {}

    def claim(self, claim_token: str) -> Claim:
        """Return what `claim_token` stands for.

        Raises
        ------
        IdentityError
            If it stands for nothing.
        """
        query = select(claims, clients.c.client_id, users.c.username).join(clients, clients.c.id == claims.c.client)
        query = query.join(users, users.c.id == clients.c.user_id).where(~users.c.disabled)
        with self._db.connect() as connection:
            row = connection.execute(query.where(claims.c.token_hash == digest(claim_token))).first()
        secret = _secret(self._key, claim_token)
        if row is None or not same(row.secret_hash, digest(secret)):
            raise IdentityError("no client for this token")
        return Claim(row.client_id, secret, read_manifest(row.manifest), row.username)

    def issue(self, client_id: str, client_secret: str, scopes: tuple[str, ...]) -> str:
        """Return a new access token of `client_id`, good for :data:`TOKEN_SECONDS`.

        Raises
        ------
        InvalidClientError
            If the secret is not the client's, or its person is disabled.
        IdentityError
            If it asks for scopes that it was not registered with.
        """
        query = select(claims.c.client, claims.c.manifest).join(clients, clients.c.id == claims.c.client)
        query = query.join(users, users.c.id == clients.c.user_id)
        query = query.where(
            clients.c.client_id == client_id, claims.c.secret_hash == digest(client_secret), ~users.c.disabled
        )
        token, now = new_token(), time.time()
        with self._db.begin() as connection:
            row = connection.execute(query).first()
            if row is None:
                raise InvalidClientError("unknown client, or wrong secret")
            unknown = set(scopes) - set(row.manifest["scopes"])
            if unknown:
                raise IdentityError(f"scopes that the app was not registered with: {', '.join(sorted(unknown))}")
            connection.execute(delete(access_tokens).where(access_tokens.c.expires_at <= now))
            connection.execute(
                insert(access_tokens).values(
                    token_hash=digest(token),
                    client=row.client,
                    scopes=list(scopes),
                    expires_at=now + TOKEN_SECONDS,
                    created_at=now,
                )
            )
        return token

    def authenticate(self, token: str) -> Caller:
        """Return who holds the access token `token`.

        Raises
        ------
        Unauthenticated
            If it is empty, unknown or expired, or its person is disabled.
        """
        if not token:
            raise Unauthenticated("sign in first: the request has no bearer token")
        hashed, now = digest(token), time.monotonic()
        remembered = self._remembered.get(hashed)
        if remembered is not None and remembered[1] > now:
            return remembered[0]
        caller = self._look_up(hashed)
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[hashed] = (caller, now + _REMEMBERED)
        return caller

    def _look_up(self, hashed: str) -> Caller:
        query = (
            select(
                access_tokens.c.scopes,
                access_tokens.c.expires_at,
                clients,
                users.c.username,
                users.c.roles,
                organisations.c.slug,
            )
            .join(clients, clients.c.id == access_tokens.c.client)
            .join(users, users.c.id == clients.c.user_id)
            .join(organisations, organisations.c.id == clients.c.organisation_id)
            .where(access_tokens.c.token_hash == hashed, ~users.c.disabled)
        )
        with self._db.connect() as connection:
            row = connection.execute(query).first()
        if row is None or row.expires_at <= time.time():
            raise Unauthenticated("the token is not known here or has expired; sign in again")
        return Caller(
            user_id=row.user_id,
            sub=str(row.user_id),
            username=row.username,
            client_id=row.client_id,
            organisation_id=row.organisation_id,
            organisation=row.slug,
            app=row.identifier,
            release=row.version,
            device=row.node or None,
            scopes=tuple(row.scopes),
            roles=tuple(row.roles),
        )
