"""Access tokens: fetched when needed, kept until shortly before they expire (RFC 6749, section 4.4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from jupyter_arkitekt.errors import ConnectError, DeadlineError, SignInError, redact
from jupyter_arkitekt.models.fakts import AuthFacts
from jupyter_arkitekt.transport._http import client_for, load_httpx

#: Seconds before its end from which a token is not used any more.
MARGIN = 30.0


class InvalidClientError(SignInError):
    """The server does not know this app's credentials any more."""


class Tokens:
    """The access token of one app.

    Parameters
    ----------
    auth
        Credentials of the app.
    reregister
        Asked once for other credentials when the server does not know these any more.
    """

    def __init__(self, auth: AuthFacts, reregister: Callable[[], Awaitable[AuthFacts]] | None = None) -> None:
        self._auth = auth
        self._reregister = reregister
        self._token = ""
        self._ends = 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """Return a token that is good for at least half a minute.

        Raises
        ------
        SignInError
            If the server does not give one.
        ConnectError, DeadlineError
            If it cannot be reached, or does not answer in time.
        """
        if self._token and time.monotonic() < self._ends:
            return self._token
        async with self._lock:
            if not self._token or time.monotonic() >= self._ends:
                await self._renew()
            return self._token

    async def replace(self, refused: str) -> str:
        """Return another token than `refused`, which a service did not take."""
        async with self._lock:
            if self._token in ("", refused):
                await self._renew()
            return self._token

    async def _renew(self) -> None:
        try:
            await self._fetch()
        except InvalidClientError:
            if self._reregister is None:
                raise
            self._auth = await self._reregister()
            await self._fetch()

    async def _fetch(self) -> None:
        load_httpx()
        import httpx

        url = self._auth.token_url
        form = {
            "grant_type": "client_credentials",
            "client_secret": self._auth.client_secret,
            "scope": " ".join(self._auth.scopes),
        }
        began = time.monotonic()
        try:
            answer = await client_for(url).post(
                url, data=form, auth=httpx.BasicAuth(self._auth.client_id, self._auth.client_secret)
            )
        except httpx.TimeoutException as error:
            raise DeadlineError(f"{redact(url)} did not answer the request for an access token in time.") from error
        except httpx.HTTPError as error:
            raise ConnectError(
                f"{redact(url)} cannot be reached for an access token ({str(error) or type(error).__name__}). "
                "Is the server running? `arkitekt status` looks after the local one."
            ) from error
        try:
            body = answer.json()
        except ValueError:
            body = None
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            code = str(body.get("error", "")) if isinstance(body, dict) else ""
            kind = InvalidClientError if code == "invalid_client" else SignInError
            raise kind(
                f"{redact(url)} gives this app no access token (status {answer.status_code} {code})."
                " Sign in again: `%arkitekt login` in a notebook, or `arkitekt logout` and then start anew."
            )
        seconds = body.get("expires_in") if isinstance(body, dict) else None
        lasting = float(seconds) if isinstance(seconds, int | float) else float("inf")
        self._token, self._ends = token, began + max(1.0, lasting - MARGIN)
