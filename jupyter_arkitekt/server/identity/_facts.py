"""The configuration that an app gets for its claim token: who it is and where everything is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jupyter_arkitekt.server.identity._caller import IdentityError
from jupyter_arkitekt.server.identity._clients import Claim
from jupyter_arkitekt.server.settings import SERVICES

#: Path of the first alias of each service. The object store has none: its clients address ``endpoint/bucket/key``.
_PATHS: dict[str, str | None] = {"mikro": "mikro", "rekuest": "rekuest", "s3": None}


def discovery(base: str, name: str, version: str, capabilities: dict[str, Any]) -> dict[str, Any]:
    """Return the well-known document of the platform at the address `base`."""
    return {
        "name": name,
        "version": version,
        "description": "An Arkitekt platform of jupyter-arkitekt",
        "protocol_version": "1",
        "base_url": f"{base}/lok/f/",
        "claim": f"{base}/lok/f/claim/",
        "configure_url": f"{base}/configure/",
        "frontend_url": f"{base}/",
        "capabilities": capabilities,
    }


def active_facts(claim: Claim, claim_token: str, base: str, name: str) -> dict[str, Any]:
    """Return the configuration of the app behind `claim` for callers that reached the platform at `base`.

    Raises
    ------
    IdentityError
        If the app cannot do without a service that this platform does not have.
    """
    rooms = {service: room for room, service in SERVICES.items()}
    instances: dict[str, Any] = {}
    statuses: dict[str, str] = {}
    for requirement in claim.manifest.requirements:
        room = rooms.get(requirement.service)
        if room is not None:
            instances[requirement.key] = {
                "service": requirement.service,
                "identifier": room,
                "aliases": [_alias(room, base, _PATHS[room])],
            }
            statuses[requirement.key] = "granted"
        elif requirement.optional:
            statuses[requirement.key] = "unavailable"
        else:
            raise IdentityError(f"this platform has no service {requirement.service!r}, which the app requires")
    return {
        "self": {"deployment_name": name, "alias": _alias("self", base, "lok")},
        "auth": {
            "client_token": claim_token,
            "client_id": claim.client_id,
            "client_secret": claim.client_secret,
            "scopes": list(claim.manifest.scopes),
            "token_url": f"{base}/lok/o/token/",
            "report_url": f"{base}/lok/f/report/",
            "user": claim.username,  # not upstream's; its clients ignore it
        },
        "instances": instances,
        "statuses": statuses,
    }


def _alias(name: str, base: str, path: str | None) -> dict[str, Any]:
    parts = urlsplit(base)
    host = parts.hostname or ""
    return {
        "id": name,
        "ssl": parts.scheme == "https",
        "host": f"[{host}]" if ":" in host else host,  # clients put it between "://" and ":"
        "port": parts.port,
        "path": path,
        "challenge": "ht",
    }
