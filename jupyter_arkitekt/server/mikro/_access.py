"""Who may do what, and how a row is found by the id that a caller names.

Everything is scoped to the caller's organisation: the id of another organisation's row is an id that does not exist.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table, select

from jupyter_arkitekt.server.graphql import Context, Refuse, Resolvers
from jupyter_arkitekt.server.mikro._records import Record, load, records

WRITERS = frozenset({"admin", "bot"})

#: Largest id that a database column holds.
_LARGEST = 2**63 - 1

Resolver = Callable[..., Any]


def mutation(resolvers: Resolvers, name: str) -> Callable[[Resolver], Resolver]:
    """Register a mutation that only writers (role admin or bot) may call."""

    def register(resolver: Resolver) -> Resolver:
        def guarded(parent: Any, ctx: Context, **arguments: Any) -> Any:
            if WRITERS.isdisjoint(ctx.caller.roles):
                raise Refuse(
                    f"{ctx.caller.username} may read, but not change anything here: {name} needs the role admin or bot",
                    code="FORBIDDEN",
                )
            return resolver(parent, ctx, **arguments)

        resolvers.mutation(name)(guarded)
        return resolver

    return register


def number(value: object) -> int | None:
    """Return the id that `value` spells, ``None`` when it spells none."""
    text = str(value)
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    key = int(text)
    return key if 0 < key <= _LARGEST else None


def missing(what: str, value: object) -> Refuse:
    """Return the refusal for an id that names nothing here."""
    return Refuse(f"there is no {what} with the id {str(value)[:64]!r} in this organisation", code="NOT_FOUND")


def get(ctx: Context, table: Table, what: str, value: object) -> Record:
    """Return the row of `table` with the id `value`.

    Raises
    ------
    Refuse
        If the caller's organisation has no such row.
    """
    key = number(value)
    found = load(ctx, _by_id(ctx, table, key)) if key is not None else []
    if not found:
        raise missing(what, value)
    return found[0]


def find(connection: Connection, ctx: Context, table: Table, what: str, value: object) -> Record:
    """Return the row of `table` with the id `value` as `connection` sees it; raise like :func:`get`."""
    key = number(value)
    found = records(connection.execute(_by_id(ctx, table, key)).mappings()) if key is not None else []
    if not found:
        raise missing(what, value)
    return found[0]


def _by_id(ctx: Context, table: Table, key: int) -> Any:
    return select(table).where(table.c.id == key, table.c.organisation_id == ctx.caller.organisation_id)


def stamp(ctx: Context) -> dict[str, Any]:
    """Return the columns that say whose a new row is, and since when."""
    return {
        "organisation_id": ctx.caller.organisation_id,
        "creator_id": ctx.caller.user_id,
        "created_at": time.time(),
    }


#: Characters of a name; a longer one is a mistake, and lists of them would be slow.
LONGEST_NAME = 1000


def named(name: str) -> dict[str, Any]:
    """Return the columns of a name.

    Raises
    ------
    Refuse
        If the name is empty or too long.
    """
    if not name.strip():
        raise Refuse("a name is needed, and this one is empty", code="BAD_INPUT")
    if len(name) > LONGEST_NAME:
        raise Refuse(f"a name has at most {LONGEST_NAME} characters, this one has {len(name)}", code="BAD_INPUT")
    return {"name": name, "folded": name.casefold()}
