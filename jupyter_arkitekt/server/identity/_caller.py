"""Who a request comes from."""

from __future__ import annotations

from dataclasses import dataclass


class Unauthenticated(Exception):  # noqa: N818 - the state of a caller
    """The token is missing, unknown, expired or revoked."""


class IdentityError(Exception):
    """Identity refuses; the message is fit for the caller."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity behind an access token.

    Attributes
    ----------
    sub
        The user as the wire names it.
    client_id
        The registered client: one app of one user on one machine.
    organisation
        Slug of the organisation that everything is scoped to.
    app, release
        Identifier and version of the app.
    device
        Hash of the machine's id, ``None`` when the app named none.
    """

    user_id: int
    sub: str
    username: str
    client_id: str
    organisation_id: int
    organisation: str
    app: str
    release: str
    device: str | None
    scopes: tuple[str, ...]
    roles: tuple[str, ...]
