"""Loading and unloading. Nothing is put into the user's names, and unloading undoes exactly what loading did."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING

from jupyter_arkitekt.extension._magics import ArkitektMagics
from jupyter_arkitekt.extension._session import Session

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_NAME = "arkitekt"
_sessions: dict[int, tuple[Session, object]] = {}


def load(shell: InteractiveShell) -> None:
    """Add ``%arkitekt`` to `shell`, sign the kernel in and say so in one line; loading again does nothing."""
    if id(shell) in _sessions:
        return
    session = Session()
    before = shell.magics_manager.magics["line"].get(_NAME)
    shell.register_magics(ArkitektMagics(shell, session))
    _sessions[id(shell)] = (session, before)
    atexit.register(session.close)
    session.login()


def unload(shell: InteractiveShell) -> None:
    """Take ``%arkitekt`` away from `shell` and end what loading started."""
    session, before = _sessions.pop(id(shell), (None, None))
    if session is None:
        return
    lines = shell.magics_manager.magics["line"]
    if before is None:
        lines.pop(_NAME, None)
    else:
        lines[_NAME] = before
    shell.magics_manager.registry.pop(ArkitektMagics.__name__, None)
    atexit.unregister(session.close)
    session.close()
