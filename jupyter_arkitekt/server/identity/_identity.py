"""Identity of one platform, in one object."""

from __future__ import annotations

import getpass
import logging
import re

from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.identity._caller import Caller
from jupyter_arkitekt.server.identity._clients import Clients
from jupyter_arkitekt.server.identity._devices import Devices
from jupyter_arkitekt.server.identity._manifest import Manifest
from jupyter_arkitekt.server.identity._redeem import RedeemTokens
from jupyter_arkitekt.server.identity._secrets import platform_key, write_private
from jupyter_arkitekt.server.identity._users import Users
from jupyter_arkitekt.server.settings import Settings

logger = logging.getLogger("arkitekt.identity")


class Identity:
    """Who may come in.

    Attributes
    ----------
    users, tokens, devices, clients
        People, redeem tokens, device codes, and registered apps.
    """

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings = settings
        self._key = platform_key(settings.data_dir)
        self.users = Users(db)
        self.tokens = RedeemTokens(db, self.users, self._key)
        self.devices = Devices(db, self._key)
        self.clients = Clients(db, self._key)
        self.users.bootstrap(_owner_name())

    def authenticate(self, token: str) -> Caller:
        """Return who holds the access token `token`.

        Raises
        ------
        Unauthenticated
            If it is empty, unknown or expired.
        """
        return self.clients.authenticate(token)

    def renew_owner_file(self) -> None:
        """Put a new single-use token of the owner into the owner's file; the one before is worth nothing then."""
        write_private(self._settings.owner_file, self.tokens.create(standing=True) + "\n")

    def redeem(self, manifest: Manifest, token: str) -> str:
        """Sign in the app of `manifest` by a redeem token and return its claim token.

        Raises
        ------
        IdentityError
            If the token is not good.
        """
        claim_token, standing = self.tokens.redeem(manifest, token)
        if standing:
            self._replace_owner_file()
        return claim_token

    def sign_in(self, token: str) -> int:
        """Use up a redeem token to sign a person in on a page, and return the person's id.

        Raises
        ------
        IdentityError
            If the token is not good.
        """
        user_id, standing = self.tokens.consume(token)
        if standing:
            self._replace_owner_file()
        return user_id

    def _replace_owner_file(self) -> None:
        try:
            self.renew_owner_file()
        except OSError as error:
            # The sign-in itself succeeded. The next start writes the file again.
            logger.error("The owner's file %s could not be replaced: %s", self._settings.owner_file, error)


def _owner_name() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # no entry for this user id, as in many containers
        name = "owner"
    return re.sub(r"[^\w.@+-]", "_", name)[:150] or "owner"
