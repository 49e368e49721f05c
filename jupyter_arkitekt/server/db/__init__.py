"""Tables and the engine under them. Each room declares its own tables on one metadata."""

from jupyter_arkitekt.server.db.engine import Database
from jupyter_arkitekt.server.db.metadata import metadata

__all__ = ["Database", "metadata"]
