"""The engine: SQLite in WAL mode behind SQLAlchemy Core.

``connect()`` reads, ``begin()`` writes. A write takes SQLite's write lock at its start (``BEGIN IMMEDIATE``): a
transaction that first reads and then writes would otherwise fail at once, whatever the busy timeout is, when another
process wrote in between (https://www.sqlite.org/lang_transaction.html). Both are short and synchronous: never await
inside of one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from jupyter_arkitekt.errors import PlatformError
from jupyter_arkitekt.server.db import identity, mikro, objects, rekuest
from jupyter_arkitekt.server.db.metadata import SCHEMA_VERSION, metadata, schema_version
from jupyter_arkitekt.server.settings import Settings

#: The rooms that declare tables; naming them here is what brings their tables into the metadata.
ROOMS = (identity, objects, mikro, rekuest)

#: Milliseconds that a statement waits for another process's write.
BUSY_TIMEOUT = 10_000

_WRITES = "arkitekt_writes"


class Database:
    """Connections to the platform's database; use :meth:`open`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{_WRITES: True})

    @classmethod
    def open(cls, settings: Settings) -> Database:
        """Open the database of `settings` and make the tables that are missing.

        Raises
        ------
        PlatformError
            If the file cannot be used, is no database, or was written by a newer program.
        """
        path = settings.database_file
        database = cls(_engine(path))
        try:
            database._prepare(path)
        except DatabaseError as error:
            database.close()
            raise PlatformError(_reason(path, error)) from error
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a connection that reads one consistent state."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Yield a connection that writes; committed at the end, rolled back on an exception."""
        with self._writer.begin() as connection:
            yield connection

    def health(self) -> str:
        """Return "working", or raise what the database says."""
        with self.connect() as connection:
            connection.scalar(select(schema_version.c.version))
        return "working"

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _prepare(self, path: Path) -> None:
        with self.begin() as connection:
            known = connection.dialect.has_table(connection, schema_version.name)
            found = connection.scalar(select(schema_version.c.version)) if known else None
            if found is not None and found > SCHEMA_VERSION:
                raise PlatformError(
                    f"{path} was written by a newer jupyter-arkitekt (tables of version {found}, this one knows "
                    f"{SCHEMA_VERSION}). Upgrade jupyter-arkitekt, or name another data directory."
                )
            metadata.create_all(connection)
            if found is None:
                connection.execute(insert(schema_version).values(version=SCHEMA_VERSION))
        path.chmod(0o600)


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        hide_parameters=True,  # an error text must not carry what was written
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT / 1000},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")  # WAL: a crash loses at most the last commits, never the file
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _on_begin(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES) else "BEGIN")


def _reason(path: Path, error: DatabaseError) -> str:
    said = str(error.orig)
    if isinstance(error, OperationalError):
        if "full" in said:
            return f"The disk of {path.parent} is full: the platform's database cannot be opened. Make room first."
        return f"The platform's database {path} cannot be opened: {said}. Check the folder and its permissions."
    return f"{path} is no usable database: {said}. Bring a backup back, or move it away to start with an empty one."
