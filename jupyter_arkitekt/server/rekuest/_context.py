"""What every resolver of rekuest needs of its context."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select

from jupyter_arkitekt.server.graphql import Context
from jupyter_arkitekt.server.rekuest._broker import Broker
from jupyter_arkitekt.server.rekuest._party import Party
from jupyter_arkitekt.server.rekuest._rows import Row


def broker(ctx: Context) -> Broker:
    """Return the platform's broker."""
    found: Broker = ctx.platform.broker
    return found


def party(ctx: Context) -> Party:
    """Return the party that the caller acts for."""
    return broker(ctx).parties.of(ctx.caller)


def rows(ctx: Context, query: Select[Any], **values: Any) -> list[Row]:
    """Return the rows of `query`; `values` are for its parameters.

    A query that is made once and given parameters costs half of one that is made for every use.
    """
    with ctx.platform.db.connect() as connection:
        return [dict(row) for row in connection.execute(query, values).mappings()]
