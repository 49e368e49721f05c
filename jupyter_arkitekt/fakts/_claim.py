"""From a claim token to a configuration, and from its aliases to those that can be reached."""

from __future__ import annotations

import asyncio
import logging
import re

from pydantic import ValidationError

from jupyter_arkitekt.errors import ConnectError, SignInError, redact
from jupyter_arkitekt.fakts._http import post_json, reason
from jupyter_arkitekt.models.fakts import ActiveFacts, Alias, Discovery, Requirement
from jupyter_arkitekt.transport._http import client_for, load_httpx

_logger = logging.getLogger(__name__)

#: Seconds for the challenge of one alias.
CHALLENGE_SECONDS = 3.0
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


async def claim(server: Discovery, claim_token: str) -> ActiveFacts:
    """Fetch the configuration that `claim_token` stands for.

    Raises
    ------
    SignInError
        If the server does not know the token, or answers with something that is no configuration.
    """
    body = {"token": claim_token, "secure": server.base_url.startswith("https")}
    answer = await post_json(f"{server.base_url}claim/", body, asked="Fetching the configuration")
    where = f"{server.name} at {redact(server.base_url)}"
    if answer.get("status") != "granted":
        raise SignInError(f"{where} does not know this sign-in: {reason(answer)}. Sign in again.")
    try:
        return ActiveFacts.model_validate(answer.get("config"))
    except ValidationError as error:
        raise SignInError(
            f"{where} sent a configuration that cannot be read ({error.error_count()} problems, first: "
            f"{'.'.join(map(str, error.errors()[0]['loc']))})."
        ) from None


async def choose_aliases(facts: ActiveFacts, requirements: list[Requirement]) -> dict[str, Alias]:
    """Return, for each requirement, the first alias that answers its challenge; moved to the front in `facts`.

    Raises
    ------
    SignInError
        If a required service was not granted.
    ConnectError
        If none of a required service's aliases answers; the message has each attempt.
    """
    chosen = await asyncio.gather(*(_choose(facts, requirement) for requirement in requirements))
    return {
        requirement.key: alias for requirement, alias in zip(requirements, chosen, strict=True) if alias is not None
    }


async def report(facts: ActiveFacts, chosen: dict[str, Alias]) -> None:
    """Tell the server which aliases could be reached; only logged when that fails, as nothing depends on it."""
    if not facts.auth.report_url:
        return
    reports = {key: {"alias_id": alias.id, "reason": None, "valid": True} for key, alias in chosen.items()}
    body = {"token": facts.auth.client_token, "alias_reports": reports, "functional": True}
    try:
        await post_json(facts.auth.report_url, body, asked="Reporting the reachable addresses")
    except ConnectionError as error:
        _logger.info("The report of reachable addresses was not taken: %s", error)


async def _choose(facts: ActiveFacts, requirement: Requirement) -> Alias | None:
    instance = facts.instances.get(requirement.key)
    deployment = facts.self_.deployment_name
    if instance is None:
        if requirement.optional:
            return None
        status = facts.statuses.get(requirement.key, "not offered")
        raise SignInError(
            f"{deployment} does not give this app the service {requirement.service} ({status}). "
            "Ask who runs the server to allow it."
        )
    attempts: list[str] = []
    for alias in instance.aliases:
        problem = await _challenge(alias)
        if problem is None:
            instance.aliases.remove(alias)
            instance.aliases.insert(0, alias)
            return alias
        attempts.append(f"{redact(alias.url(alias.challenge))}: {problem}")
    if requirement.optional:
        return None
    tried = "; ".join(attempts) or "it has no address"
    raise ConnectError(f"The service {requirement.service} of {deployment} cannot be reached ({tried}).")


async def _challenge(alias: Alias) -> str | None:
    """Return why `alias` cannot be used, ``None`` when it can."""
    load_httpx()
    import httpx

    if not _HOST.fullmatch(alias.host):
        return "the host's name is malformed"
    url = alias.url(alias.challenge)
    try:
        async with asyncio.timeout(CHALLENGE_SECONDS):
            answer = await client_for(url).get(url, headers={"Accept": "application/json"})
    except TimeoutError:
        return f"no answer within {CHALLENGE_SECONDS:g} s"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
    return None if answer.status_code == 200 else f"status {answer.status_code}"
