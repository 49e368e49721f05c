"""People: one owner without a password, and whoever the owner adds."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from sqlalchemy import Connection, Row, insert, select, update

from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.db.identity import organisations, users
from jupyter_arkitekt.server.identity._caller import IdentityError
from jupyter_arkitekt.server.identity._secrets import check_password, hash_password

#: Roles of a person who may change things; the services of the wire ask for "admin" or "bot".
ROLES = ["admin"]

MIN_PASSWORD = 8
_MAX_PASSWORD = 1024
_USERNAME = re.compile(r"[\w.@+-]{1,150}")


@dataclass(frozen=True, slots=True)
class User:
    """A person."""

    id: int
    username: str
    owner: bool
    disabled: bool
    has_password: bool
    created_at: float


class Users:
    """The people of one platform."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def bootstrap(self, owner: str) -> None:
        """Make the organisation and its owner unless they are there."""
        with self._db.begin() as connection:
            if connection.scalar(select(users.c.id).where(users.c.owner).limit(1)) is not None:
                return
            now = time.time()
            connection.execute(insert(organisations).values(slug="local", name="Local", created_at=now))
            connection.execute(
                insert(users).values(
                    organisation_id=select(organisations.c.id).where(organisations.c.slug == "local").scalar_subquery(),
                    username=owner,
                    password=None,
                    roles=ROLES,
                    owner=True,
                    created_at=now,
                )
            )

    def all(self) -> list[User]:
        """Return all people, oldest first."""
        with self._db.connect() as connection:
            return [_user(row) for row in connection.execute(select(users).order_by(users.c.id))]

    def get(self, username: str | None) -> User:
        """Return the person called `username`, the owner when it is ``None``.

        Raises
        ------
        IdentityError
            If there is none.
        """
        with self._db.connect() as connection:
            return self.find(connection, username)

    def find(self, connection: Connection, username: str | None) -> User:
        """Do as :meth:`get` inside a transaction."""
        chosen = users.c.owner if username is None else users.c.username == username
        row = connection.execute(select(users).where(chosen).order_by(users.c.id).limit(1)).first()
        if row is None:
            raise IdentityError(f"there is no user {username!r}")
        return _user(row)

    def by_id(self, user_id: int) -> User | None:
        """Return the person with this id who may sign in, else ``None``."""
        with self._db.connect() as connection:
            row = connection.execute(select(users).where(users.c.id == user_id, ~users.c.disabled)).first()
        return None if row is None else _user(row)

    def add(self, username: str, password: str | None) -> User:
        """Add a person; without a password they sign in by one-time tokens only.

        Raises
        ------
        IdentityError
            If the name is taken or unfit, or the password too short.
        """
        if not _USERNAME.fullmatch(username):
            raise IdentityError("a user's name has 1 to 150 letters, digits or the signs . _ - + @")
        hashed = None if password is None else _hash(password)
        with self._db.begin() as connection:
            if connection.scalar(select(users.c.id).where(users.c.username == username)) is not None:
                raise IdentityError(f"there is already a user {username!r}")
            organisation = connection.scalar(select(organisations.c.id).order_by(organisations.c.id).limit(1))
            connection.execute(
                insert(users).values(
                    organisation_id=organisation,
                    username=username,
                    password=hashed,
                    roles=ROLES,
                    created_at=time.time(),
                )
            )
            return self.find(connection, username)

    def set_password(self, username: str | None, password: str) -> None:
        """Give a person a password."""
        hashed = _hash(password)
        with self._db.begin() as connection:
            user = self.find(connection, username)
            connection.execute(update(users).where(users.c.id == user.id).values(password=hashed))

    def disable(self, username: str, *, disabled: bool = True) -> None:
        """Lock a person out, or let them in again.

        Raises
        ------
        IdentityError
            If there is no such person, or it is the owner.
        """
        with self._db.begin() as connection:
            user = self.find(connection, username)
            if user.owner:
                raise IdentityError("the owner cannot be disabled")
            connection.execute(update(users).where(users.c.id == user.id).values(disabled=disabled))

    def check(self, username: str, password: str) -> User | None:
        """Return the person if the password is theirs and they may sign in. Takes some 50 ms; call it in a thread."""
        with self._db.connect() as connection:
            row = connection.execute(select(users).where(users.c.username == username)).first()
        fits = check_password(password[:_MAX_PASSWORD], row.password if row is not None else None)
        return _user(row) if fits and row is not None and not row.disabled else None


def _hash(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= _MAX_PASSWORD:
        raise IdentityError(f"a password has at least {MIN_PASSWORD} characters")
    return hash_password(password)


def _user(row: Row[tuple[object, ...]]) -> User:
    return User(row.id, row.username, row.owner, row.disabled, row.password is not None, row.created_at)
