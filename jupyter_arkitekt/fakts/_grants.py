"""Grants: the ways from a manifest to a claim token."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from jupyter_arkitekt.errors import ConnectError, DeadlineError, NotArkitektError, SignInError, redact
from jupyter_arkitekt.fakts._http import post_json, reason
from jupyter_arkitekt.models.fakts import Discovery, Manifest

#: Seconds between two looks at a device code.
POLL_SECONDS = 1.0


async def redeem(server: Discovery, manifest: Manifest, token: str) -> str:
    """Sign in by a redeem token and return the claim token.

    Raises
    ------
    SignInError
        If the token is wrong, used or expired.
    """
    url = server.retrieve_url or f"{server.base_url}redeem/"
    answer = await post_json(
        url, {"manifest": manifest.to_wire(), "token": token}, asked="Signing in by a redeem token"
    )
    if answer.get("status") != "granted" or not isinstance(answer.get("token"), str):
        raise SignInError(
            f"{server.name} at {redact(server.base_url)} did not take the redeem token: {reason(answer)}. "
            "Ask for a new one (`arkitekt token create` on the server), or sign in without one."
        )
    token_: str = answer["token"]
    return token_


@dataclass
class DeviceCode:
    """A sign-in that waits for a person on a web page.

    Attributes
    ----------
    code
        What the person sees on the page.
    url
        The page.
    expires_at
        When it ends, seconds of the monotonic clock.
    """

    server: Discovery
    code: str
    url: str
    seconds: float
    expires_at: float = field(default=0.0)

    @classmethod
    async def start(cls, server: Discovery, manifest: Manifest, *, seconds: float = 300.0) -> DeviceCode:
        """Ask the server for a code.

        Raises
        ------
        SignInError
            If it refuses.
        """
        body = {
            "manifest": manifest.to_wire(),
            "expiration_time_seconds": int(seconds),
            "redirect_uris": [],
            "requested_client_kind": "development",
        }
        answer = await post_json(f"{server.base_url}start/", body, asked="Starting a sign-in")
        code = answer.get("code")
        if answer.get("status") != "granted" or not isinstance(code, str):
            raise SignInError(
                f"{server.name} at {redact(server.base_url)} does not let this app sign in: {reason(answer)}."
            )
        return cls(server, code, configure_page(server) + code, seconds, time.monotonic() + seconds)

    async def wait(self) -> str:
        """Wait until a person decided and return the claim token.

        Raises
        ------
        SignInError
            If they said no, or the code expired.
        """
        where = f"{self.server.name} at {redact(self.server.base_url)}"
        while time.monotonic() < self.expires_at:
            try:
                answer = await post_json(
                    f"{self.server.base_url}challenge/", {"code": self.code}, asked="Waiting for the sign-in"
                )
            except NotArkitektError:
                raise
            except (ConnectError, DeadlineError):
                # A person takes minutes, a network or a server may be away for seconds of them.
                await asyncio.sleep(POLL_SECONDS)
                continue
            status = answer.get("status")
            if status == "granted" and isinstance(answer.get("token"), str):
                token: str = answer["token"]
                return token
            if status == "denied":
                raise SignInError(f"The sign-in was denied on the page of {where}. Load the extension again to retry.")
            if status not in ("pending", "waiting", "slow_down"):
                raise SignInError(f"{where} ended the sign-in: {reason(answer)}. Load the extension again to retry.")
            await asyncio.sleep(POLL_SECONDS * (5 if status == "slow_down" else 1))
        raise SignInError(
            f"Nobody allowed the sign-in at {where} within {self.seconds:g} s. Load the extension again to retry."
        )


def configure_page(server: Discovery) -> str:
    """Return the address of the consent page up to the code, as upstream's clients derive it."""
    page = server.configure_url or server.base_url.replace("lok/f/", "", 1) + "configure/"
    return page if page.endswith("/") else f"{page}/"
