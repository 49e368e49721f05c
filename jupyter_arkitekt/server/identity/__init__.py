"""Identity: who may come in, with which app, and for how long."""

from jupyter_arkitekt.server.identity._caller import Caller, Unauthenticated
from jupyter_arkitekt.server.identity._identity import Identity

__all__ = ["Caller", "Identity", "Unauthenticated"]
