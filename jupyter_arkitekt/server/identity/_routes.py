"""Fakts over HTTP: discovery, the ways to sign an app in, its configuration, its access tokens.

Refusals of the fakts endpoints are answers of status 200 with ``"status": "error"``; released clients read no
other.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from jupyter_arkitekt import __version__
from jupyter_arkitekt.server.http import TooLarge, base_url, client_address, read_body
from jupyter_arkitekt.server.identity._caller import IdentityError
from jupyter_arkitekt.server.identity._clients import TOKEN_SECONDS, InvalidClientError
from jupyter_arkitekt.server.identity._facts import active_facts, discovery
from jupyter_arkitekt.server.identity._limiter import Limiter
from jupyter_arkitekt.server.identity._manifest import read_manifest
from jupyter_arkitekt.server.platform import Platform

logger = logging.getLogger("arkitekt.identity")

#: A manifest with hundreds of requirements fits into this many bytes.
_MAX_BODY = 256 * 1024

_KINDS = ("development", "website", "desktop")

Answer = dict[str, Any]


class Fakts:
    """The fakts endpoints of one platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._identity = platform.identity
        self._guesses = Limiter(limit=60, seconds=60)

    async def discover(self, request: Request) -> Response:
        """Answer the well-known document."""
        return JSONResponse(
            discovery(base_url(request), self._platform.settings.name, __version__, self._platform.capabilities)
        )

    async def start(self, _request: Request, body: Answer) -> Answer:
        """Begin a device code."""
        kind = body.get("requested_client_kind", "development")
        if kind not in _KINDS:
            raise IdentityError(f"requested_client_kind is one of {', '.join(_KINDS)}")
        if kind == "website" and not body.get("redirect_uris"):
            raise IdentityError("a website needs a redirect URI")
        seconds = body.get("expiration_time_seconds", 300)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise IdentityError("expiration_time_seconds has to be a number")
        code = self._identity.devices.start(read_manifest(body.get("manifest")), float(seconds))
        return {"status": "granted", "code": code}

    async def challenge(self, request: Request, body: Answer) -> Answer:
        """Say what a person decided about a device code."""
        who = client_address(request)
        if self._guesses.is_full(who):
            raise IdentityError("too many wrong codes; try again in a minute")
        try:
            status, token = self._identity.devices.poll(_text(body, "code"))
        except IdentityError:
            self._guesses.count(who)
            raise
        if status == "granted":
            return {"status": "granted", "token": token}
        if status == "denied":
            return {"status": "denied", "message": "the person at the other end said no"}
        return {"status": "pending", "message": "waiting for a person to allow this app"}

    async def redeem(self, _request: Request, body: Answer) -> Answer:
        """Sign an app in by a redeem token."""
        token = self._identity.redeem(read_manifest(body.get("manifest")), _text(body, "token"))
        return {"status": "granted", "token": token}

    async def retrieve(self, _request: Request, body: Answer) -> Answer:
        """Refuse: no app is public here."""
        manifest = read_manifest(body.get("manifest"))
        raise IdentityError(f"the app {manifest.identifier!r} is not public here; use a device code or a redeem token")

    async def claim(self, request: Request, body: Answer) -> Answer:
        """Answer the configuration of a signed-in app."""
        token = _text(body, "token")
        claim = self._identity.clients.claim(token)
        facts = active_facts(claim, token, base_url(request), self._platform.settings.name)
        return {"status": "granted", "config": facts}

    async def report(self, _request: Request, body: Answer) -> Answer:
        """Take note of which aliases an app could reach."""
        claim = self._identity.clients.claim(_text(body, "token"))
        if body.get("functional") is False:
            logger.warning("The app %r reports that it cannot reach all of its services", claim.manifest.identifier)
        return {"status": "reported", "message": "thank you"}

    async def token(self, request: Request) -> Response:
        """Answer an access token (RFC 6749, section 4.4)."""
        try:
            form = parse_qs((await read_body(request, _MAX_BODY)).decode(), max_num_fields=50)
        except TooLarge as error:
            return _oauth(413, "invalid_request", str(error))
        except ValueError:
            return _oauth(400, "invalid_request", "the body is no form")
        if form.get("grant_type") != ["client_credentials"]:
            return _oauth(400, "unsupported_grant_type", "only client_credentials is known here")
        client_id, secret = _credentials(request, form)
        scope = " ".join(form.get("scope", []))
        try:
            token = self._identity.clients.issue(client_id, secret, tuple(dict.fromkeys(scope.split())))
        except InvalidClientError as error:
            return _oauth(401, "invalid_client", str(error))
        except IdentityError as error:
            return _oauth(400, "invalid_scope", str(error))
        body: Answer = {"token_type": "Bearer", "access_token": token, "expires_in": TOKEN_SECONDS}
        if scope.split():
            body["scope"] = scope  # the same set that was asked for: clients refuse any other
        return JSONResponse(body, headers={"Cache-Control": "no-store"})


def routes(platform: Platform) -> list[BaseRoute]:
    """Return the routes of fakts."""
    fakts = Fakts(platform)
    found: list[BaseRoute] = []
    for prefix in ("", "/lok"):
        found.append(Route(prefix + "/.well-known/fakts", fakts.discover))
        found.append(Route(prefix + "/.well-known/fakts-challenge", _here))
    for name, endpoint, key in (
        ("start", fakts.start, "error"),
        ("challenge", fakts.challenge, "error"),
        ("redeem", fakts.redeem, "message"),
        ("retrieve", fakts.retrieve, "message"),
        ("claim", fakts.claim, "message"),
        ("report", fakts.report, "message"),
    ):
        malformed = "message" if name in ("claim", "report") else "error"
        served = _endpoint(endpoint, key, malformed)
        found.extend(Route(f"/lok/f/{name}{slash}", served, methods=["POST"]) for slash in ("/", ""))
    found.extend(Route(f"/lok/o/token{slash}", fakts.token, methods=["POST"]) for slash in ("/", ""))
    return found


def _endpoint(
    answer: Callable[[Request, Answer], Awaitable[Answer]], key: str, malformed: str
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = json.loads(await read_body(request, _MAX_BODY))
        except TooLarge as error:
            return PlainTextResponse(str(error), 413)
        except (ValueError, RecursionError) as error:
            return JSONResponse({"status": "error", malformed: f"Malformed request: {type(error).__name__}"})
        if not isinstance(body, dict):
            return JSONResponse({"status": "error", malformed: "Malformed request: expected a JSON object"})
        try:
            return JSONResponse(await answer(request, body), headers={"Cache-Control": "no-store"})
        except IdentityError as error:
            return JSONResponse({"status": "error", key: str(error)})

    return endpoint


async def _here(_request: Request) -> Response:
    return PlainTextResponse("ok")


def _text(body: Answer, key: str) -> str:
    text = body.get(key)
    if not isinstance(text, str) or not text:
        raise IdentityError(f"{key!r} is missing")
    return text


def _credentials(request: Request, form: dict[str, list[str]]) -> tuple[str, str]:
    """Take client id and secret from HTTP Basic (RFC 6749, section 2.3.1: both are form-encoded first) or the body."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return "", ""
        return unquote_plus(client_id), unquote_plus(secret)
    return form.get("client_id", [""])[0], form.get("client_secret", [""])[0]


def _oauth(status: int, error: str, description: str) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="arkitekt"'
    return JSONResponse({"error": error, "error_description": description}, status, headers)
