"""The ``%arkitekt`` line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from jupyter_arkitekt.extension._session import Session


@magics_class
class ArkitektMagics(Magics):
    """``%arkitekt``, ``%arkitekt login``, ``%arkitekt logout``."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        super().__init__(shell)
        self._session = session

    @magic_arguments()
    @argument("verb", nargs="?", default="status", choices=("status", "login", "logout"), help="what to do")
    @argument("url", nargs="?", default=None, help="with login: address of the server; the local platform without it")
    @line_magic
    def arkitekt(self, line: str) -> Any:
        """Say who is signed in and where, sign in somewhere else, or sign out."""
        asked = parse_argstring(self.arkitekt, line)
        if asked.verb == "login":
            self._session.login(asked.url)
        elif asked.verb == "logout":
            self._session.logout()
        else:
            self._session.status()
