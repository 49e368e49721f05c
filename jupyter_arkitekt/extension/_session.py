"""The kernel's sign-in: what the magics do, apart from how they are typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_arkitekt import context
from jupyter_arkitekt.app import App
from jupyter_arkitekt.app._kernel import SignIn, connect_kernel
from jupyter_arkitekt.app._mix import advice
from jupyter_arkitekt.errors import ArkitektError
from jupyter_arkitekt.fakts import FactsCache
from jupyter_arkitekt.widgets._plain import Plain, said

if TYPE_CHECKING:
    from jupyter_arkitekt.widgets import LoginCard


class Session:
    """One kernel's way in: the app that was signed in from here, and the sign-in that waits."""

    def __init__(self) -> None:
        self._app: App | None = None
        self._sign_in: SignIn | None = None
        self._card: LoginCard | None = None
        self._url: str | None = None
        self._borrowed = False

    def login(self, url: str | None = None) -> None:
        """Sign in and say so in a line, or show the card that asks for consent; an error is told, not raised."""
        mixed = advice()
        if mixed is not None:
            tell(said("Two packages share the name arkitekt", mixed, bad=True))
        try:
            found = self._connect(url)
        except ArkitektError as error:
            first, _, rest = str(error).partition("\n")
            tell(said(first, f"{rest}\nRun %arkitekt login to try again.".strip(), bad=True))
            return
        if isinstance(found, SignIn):
            self._ask(found)
        else:
            self.status()

    def logout(self) -> None:
        """Sign out and forget the sign-in that is kept on this machine."""
        app = self._app_now()
        self._drop_card()
        if app is None:
            tell(said("Nobody is signed in."))
            return
        where = app.deployment or app.url
        FactsCache(app.url, app.manifest).forget()
        self._leave(app)
        tell(said(f"Signed out of {where}", "Run %arkitekt login to sign in again."))

    def status(self) -> None:
        """Say who is signed in and where, or what is being waited for."""
        from jupyter_arkitekt.widgets._login import signed_in_line

        app = self._app_now()
        if app is not None:
            tell(signed_in_line(app))
        elif self._sign_in is not None and self._sign_in.state == "pending":
            # Printed and not displayed as a card: whoever asks may have no widgets, and asked for it.
            print(  # noqa: T201
                f"Waiting for consent: open {self._sign_in.url} and check that it shows the code {self._sign_in.code}"
            )
        else:
            tell(said("Nobody is signed in.", "Run %arkitekt login."))

    def close(self) -> None:
        """End what was started from here: the card, the sign-in that waits, the app."""
        self._drop_card()
        app, self._app = self._app_now(), None
        if app is not None and not self._borrowed:
            self._leave(app)

    def _connect(self, url: str | None) -> App | SignIn:
        present = self._app_now()
        self._drop_card()
        if present is not None and url is not None and present.url != url.rstrip("/"):
            self._leave(present)
        self._url = url
        return self._start()

    def _ask(self, sign_in: SignIn) -> None:
        from jupyter_arkitekt.widgets import LoginCard

        self._card = LoginCard(sign_in, again=self._start)
        self._card.show()

    def _start(self) -> SignIn | App:
        before = context.current_or_none()
        found = connect_kernel(self._url)
        # An app that the person had entered before is theirs to leave.
        self._borrowed = found is before and found is not self._app
        if isinstance(found, SignIn):
            self._sign_in = found
        else:
            self._app = found
        return found

    def _app_now(self) -> App | None:
        """Return the app that was signed in from here, if it still is."""
        if self._sign_in is not None and self._sign_in.state == "granted":
            self._app, self._sign_in = self._sign_in.app, None
        return self._app if self._app is not None and self._app.entered else None

    def _drop_card(self) -> None:
        card, self._card = self._card, None
        sign_in, self._sign_in = self._sign_in, None
        if card is not None:
            card.close()
        if sign_in is not None and sign_in.state == "pending":
            sign_in.cancel()

    def _leave(self, app: App) -> None:
        context.withdraw(app)
        app.exit()


def tell(plain: Plain) -> None:
    """Display `plain`."""
    from IPython.display import display

    display(plain)
