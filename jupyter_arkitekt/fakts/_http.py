"""One question to a fakts endpoint, and its answer as a JSON object."""

from __future__ import annotations

from typing import Any

from jupyter_arkitekt.errors import ConnectError, DeadlineError, NotArkitektError, redact
from jupyter_arkitekt.transport._http import client_for, load_httpx

#: Seconds for one question.
TIMEOUT = 10.0


async def post_json(url: str, body: dict[str, Any], *, asked: str) -> dict[str, Any]:
    """Post `body` to `url` and return the JSON object that comes back.

    Parameters
    ----------
    asked
        What is asked for, as the message names it.

    Raises
    ------
    ConnectError, DeadlineError
        If nobody answers, or not in time.
    NotArkitektError
        If what answers is no fakts endpoint.
    """
    load_httpx()
    import httpx

    try:
        answer = await client_for(url).post(url, json=body, timeout=httpx.Timeout(TIMEOUT, connect=3.0))
    except httpx.TimeoutException as error:
        raise DeadlineError(
            f"{asked}: {redact(url)} did not answer within {TIMEOUT:g} s. Try again, or ask who runs the server."
        ) from error
    except httpx.HTTPError as error:
        raise ConnectError(
            f"{asked}: {redact(url)} cannot be reached ({str(error) or type(error).__name__}). Is the server running?"
        ) from error
    try:
        parsed = answer.json()
    except ValueError:
        parsed = None
    if answer.status_code != 200 or not isinstance(parsed, dict):
        raise NotArkitektError(
            f"{asked}: {redact(url)} answered with status {answer.status_code} and no fakts document. "
            "Is this the address of an Arkitekt server?"
        )
    return parsed


def reason(answer: dict[str, Any]) -> str:
    """Return the server's own words for a refusal; it uses ``message`` or ``error``."""
    said = answer.get("message") or answer.get("error") or answer.get("status") or "no reason given"
    return str(said)[:300]
