"""GraphQL for a contract that is dictated from outside: the SDL is the contract, resolvers are attached to it.

A room writes its SDL, collects its functions in :class:`Resolvers` and gives both to a :class:`Service`, which checks
that nothing is missing and brings the transports: HTTP, and websockets in both dialects.
"""

from jupyter_arkitekt.server.graphql._context import Context
from jupyter_arkitekt.server.graphql._errors import Refuse
from jupyter_arkitekt.server.graphql._resolvers import Resolvers
from jupyter_arkitekt.server.graphql._service import Service

__all__ = ["Context", "Refuse", "Resolvers", "Service"]
