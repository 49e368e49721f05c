"""Redeem tokens: sign in an app without a browser."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.db.identity import claims, redeem_tokens, redemptions, users
from jupyter_arkitekt.server.identity._caller import IdentityError
from jupyter_arkitekt.server.identity._clients import register
from jupyter_arkitekt.server.identity._manifest import Manifest
from jupyter_arkitekt.server.identity._secrets import derive, digest, new_token
from jupyter_arkitekt.server.identity._users import Users

#: Seconds in which the owner's standing token, once used, gives the same app the same answer again.
REPEAT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class RedeemToken:
    """What is known of a redeem token that was handed out; the token itself is not."""

    id: int
    username: str
    uses_left: int
    expires_at: float | None
    revoked: bool
    created_at: float


class RedeemTokens:
    """The redeem tokens of one platform.

    Parameters
    ----------
    key
        The platform's key: the claim token is derived from the redeem token and the manifest, so that the same question
        gets the same answer.
    """

    def __init__(self, db: Database, users: Users, key: bytes) -> None:
        self._db = db
        self._users = users
        self._key = key

    def create(
        self, username: str | None = None, *, uses: int = 1, expires: float | None = None, standing: bool = False
    ) -> str:
        """Make a redeem token for a person (the owner when `username` is ``None``) and return it.

        Parameters
        ----------
        uses
            How many different apps may redeem it.
        expires
            Seconds until it is worth nothing; ``None``: never.
        standing
            Whether it is the one in the owner's file; the one before is withdrawn.

        Raises
        ------
        IdentityError
            If there is no such person, they are disabled, or a number makes no sense.
        """
        if uses < 1:
            raise IdentityError("a token has at least one use")
        if expires is not None and expires <= 0:
            raise IdentityError("a token expires in the future")
        token, now = new_token(), time.time()
        with self._db.begin() as connection:
            user = self._users.find(connection, username)
            if user.disabled:
                raise IdentityError(f"the user {user.username!r} is disabled")
            if standing:
                unused = redeem_tokens.c.standing & (redeem_tokens.c.uses_left > 0)
                connection.execute(update(redeem_tokens).where(unused).values(revoked=True))
            connection.execute(
                insert(redeem_tokens).values(
                    token_hash=digest(token),
                    user_id=user.id,
                    uses_left=uses,
                    expires_at=None if expires is None else now + expires,
                    standing=standing,
                    created_at=now,
                )
            )
        return token

    def all(self) -> list[RedeemToken]:
        """Return the tokens that can still be redeemed, newest first, without the owner's standing one."""
        columns = select(redeem_tokens, users.c.username).join(users, users.c.id == redeem_tokens.c.user_id)
        alive = columns.where(redeem_tokens.c.uses_left > 0, ~redeem_tokens.c.revoked, ~redeem_tokens.c.standing)
        now = time.time()
        with self._db.connect() as connection:
            rows = connection.execute(alive.order_by(redeem_tokens.c.id.desc())).all()
        return [
            RedeemToken(row.id, row.username, row.uses_left, row.expires_at, row.revoked, row.created_at)
            for row in rows
            if row.expires_at is None or row.expires_at > now
        ]

    def revoke(self, token_id: int) -> None:
        """Make the token with this id worth nothing.

        Raises
        ------
        IdentityError
            If there is none.
        """
        with self._db.begin() as connection:
            change = update(redeem_tokens).where(redeem_tokens.c.id == token_id, ~redeem_tokens.c.standing)
            if connection.execute(change.values(revoked=True)).rowcount == 0:
                raise IdentityError(f"there is no token {token_id}")

    def redeem(self, manifest: Manifest, token: str) -> tuple[str, bool]:
        """Sign in the app of `manifest`.

        Returns
        -------
        str
            The claim token; the same one when the same token comes with the same manifest again.
        bool
            Whether it was the owner's standing token, which is used up now.

        Raises
        ------
        IdentityError
            If the token is not known, expired, revoked, or redeemed by another manifest.
        """
        claim_token = derive(self._key, "redeem", token, manifest.hash())
        with self._db.begin() as connection:
            row = _valid(connection, token)
            again = select(claims.c.token_hash).join(redemptions, redemptions.c.claim == claims.c.id)
            known = connection.scalar(
                again.where(redemptions.c.redeem_token == row.id, redemptions.c.manifest_hash == manifest.hash())
            )
            if known == digest(claim_token):
                return claim_token, False
            _use(connection, row)
            claim = register(connection, manifest, row.user_id, claim_token, self._key)
            connection.execute(
                insert(redemptions).values(redeem_token=row.id, manifest_hash=manifest.hash(), claim=claim)
            )
            return claim_token, row.standing

    def consume(self, token: str) -> tuple[int, bool]:
        """Use `token` to sign a person in on a page.

        Returns
        -------
        int
            The person's id.
        bool
            Whether it was the owner's standing token.

        Raises
        ------
        IdentityError
            As :meth:`redeem`.
        """
        with self._db.begin() as connection:
            row = _valid(connection, token)
            _use(connection, row)
            return row.user_id, row.standing


@dataclass(frozen=True, slots=True)
class _Found:
    id: int
    user_id: int
    uses_left: int
    standing: bool


def _valid(connection: Connection, token: str) -> _Found:
    query = select(redeem_tokens, users.c.disabled).join(users, users.c.id == redeem_tokens.c.user_id)
    row = connection.execute(query.where(redeem_tokens.c.token_hash == digest(token))).first()
    if row is None or row.revoked or row.disabled:
        raise IdentityError("invalid redeem token")
    if row.expires_at is not None and row.expires_at <= time.time():
        raise IdentityError("expired redeem token")
    return _Found(row.id, row.user_id, row.uses_left, row.standing)


def _use(connection: Connection, found: _Found) -> None:
    if found.uses_left < 1:
        raise IdentityError("token already redeemed by another manifest")
    change = update(redeem_tokens).where(redeem_tokens.c.id == found.id)
    change = change.values(uses_left=redeem_tokens.c.uses_left - 1)
    if found.standing:
        change = change.values(expires_at=time.time() + REPEAT_SECONDS)
    connection.execute(change)
