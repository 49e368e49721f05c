"""Discovery: from what a person typed to the server's well-known document."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from pydantic import ValidationError

from jupyter_arkitekt.errors import ConfigError, ConnectError, NotArkitektError, redact
from jupyter_arkitekt.models.fakts import Discovery
from jupyter_arkitekt.transport._http import client_for, load_httpx

#: Seconds for one attempt.
TIMEOUT = 5.0
_LARGEST = 256 * 1024


def candidates(url: str) -> list[str]:
    """Return the addresses to try for what a person typed, in order, each ending in "/".

    Raises
    ------
    ConfigError
        If it cannot be an address.
    """
    url = url.strip()
    schemes = [""] if "://" in url else ["https://", "http://"]
    found = [f"{scheme}{url.rstrip('/')}/" for scheme in schemes]
    for address in found:
        try:
            parts = urlsplit(address)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ConfigError(f"{redact(url)!r} is no address of a server. Write one like https://lab.example.org.")
    return found


async def discover(url: str) -> Discovery:
    """Find the server at `url` and return what it says of itself.

    Parameters
    ----------
    url
        Address with or without scheme; without one https is tried before http.

    Raises
    ------
    ConfigError
        If `url` is no address.
    NotArkitektError
        If something answers, but no Arkitekt server.
    ConnectError
        If nothing answers. The message has each attempt with its reason.
    """
    attempts: list[str] = []
    answered = False
    for base in candidates(url):
        try:
            return await _ask(f"{base}.well-known/fakts")
        except NotArkitektError as error:
            answered = True
            attempts.append(str(error))
        except ConnectError as error:
            attempts.append(str(error))
    tried = "; ".join(attempts)
    if answered:
        raise NotArkitektError(
            f"{redact(url)} is no Arkitekt server: {tried}. Check the address, or ask who runs the server."
        )
    raise ConnectError(
        f"No Arkitekt server could be reached at {redact(url)}: {tried}. "
        "Check the address and the network; is the server running?"
    )


async def _ask(url: str) -> Discovery:
    load_httpx()
    import httpx

    shown = redact(url)
    try:
        async with asyncio.timeout(TIMEOUT):
            answer = await client_for(url).get(url, headers={"Accept": "application/json"})
    except TimeoutError as error:
        raise ConnectError(f"{shown} did not answer within {TIMEOUT:g} s") from error
    except httpx.HTTPError as error:
        raise ConnectError(f"{shown}: {str(error) or type(error).__name__}") from error
    if answer.status_code != 200:
        raise NotArkitektError(f"{shown} answered with status {answer.status_code}")
    if len(answer.content) > _LARGEST:
        raise NotArkitektError(f"{shown} answered with {len(answer.content)} bytes")
    try:
        found = Discovery.model_validate_json(answer.content)
    except ValidationError as error:
        raise NotArkitektError(f"{shown} answered something else than a fakts document") from error
    if not found.base_url.endswith("/"):
        found.base_url += "/"
    return found
