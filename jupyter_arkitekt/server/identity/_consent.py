"""Where a person allows an app to act for them.

A person signs in with the same form that allows: by name and password, or by a one-time token. No session is kept, so a
page of somebody else has nothing to ride on; the origin of the form is checked all the same, and guesses are limited.
"""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from jupyter_arkitekt.server._edge import is_own_origin
from jupyter_arkitekt.server.http import TooLarge, client_address, read_body
from jupyter_arkitekt.server.identity._caller import IdentityError
from jupyter_arkitekt.server.identity._devices import Device
from jupyter_arkitekt.server.identity._limiter import Limiter
from jupyter_arkitekt.server.identity._pages import ASK, ENTER, FRONT, MESSAGE, page
from jupyter_arkitekt.server.platform import Platform

_MAX_BODY = 16 * 1024

#: Guesses per minute: from one address, and at one person's password from anywhere.
_GUESSES = 10

_UNKNOWN = "This code is not known, or has expired"
_AGAIN = "Start the app again for a new one."


class Consent:
    """The pages of one platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._identity = platform.identity
        self._guesses = Limiter(limit=_GUESSES, seconds=60)

    async def front(self, _request: Request) -> Response:
        """Say what lives at this address."""
        return page(FRONT, self._platform.settings.name)

    async def entry(self, request: Request) -> Response:
        """Let a person type the code."""
        if request.method == "GET":
            return self._enter()
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        who = client_address(request)
        if self._guesses.is_full(who):
            return self._enter("Too many wrong codes. Try again in a minute.", 429)
        device = self._identity.devices.find("".join(form.get("code", "").split()).lower())
        if device is None:
            self._guesses.count(who)
            return self._enter(f"{_UNKNOWN}. {_AGAIN}", 404)
        return RedirectResponse(f"/configure/{device.code}", 303)

    async def consent(self, request: Request) -> Response:
        """Show what an app asks for, and take the person's decision."""
        who = client_address(request)
        if self._guesses.is_full(who):
            return page(MESSAGE, "Too many attempts", status=429, text="Try again in a minute.")
        device = self._identity.devices.find(str(request.path_params["code"]))
        if device is None:
            self._guesses.count(who)
            return page(MESSAGE, _UNKNOWN, status=404, text=_AGAIN)
        if device.status != "pending":
            return _decided(device)
        if request.method == "GET":
            return self._ask(device)
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        try:
            if form.get("decision") == "deny":
                return _decided(self._identity.devices.decide(device.code, None, allow=False))
            if form.get("decision") != "allow":
                raise IdentityError("choose to allow or to deny")
            user_id = await self._sign_in(form, who)
            return _decided(self._identity.devices.decide(device.code, user_id, allow=True))
        except IdentityError as error:
            return self._ask(device, f"{str(error)[:1].upper()}{str(error)[1:]}.", 403)

    async def _sign_in(self, form: dict[str, str], who: str) -> int:
        """Return the person behind the form. Each try counts as a guess at once, and is forgiven if it was right."""
        token, username = form.get("token", "").strip(), form.get("username", "").strip()
        keys = [who] if token else [who, f"user {username}"]
        if any(self._guesses.is_full(key) for key in keys):
            raise IdentityError("too many attempts; try again in a minute")
        for key in keys:
            self._guesses.count(key)
        if token:
            user_id = self._identity.sign_in(token)
        else:
            user = await asyncio.to_thread(self._identity.users.check, username, form.get("password", ""))
            if user is None:
                raise IdentityError("user name or password is wrong")
            user_id = user.id
        for key in keys:
            self._guesses.forgive(key)
        return user_id

    async def _form(self, request: Request) -> dict[str, str] | Response:
        if not is_own_origin(request.headers):
            return PlainTextResponse("This form has to be sent from its own page.", 403)
        try:
            parsed = parse_qs((await read_body(request, _MAX_BODY)).decode(), max_num_fields=20)
        except TooLarge as error:
            return PlainTextResponse(str(error), 413)
        except ValueError:
            return PlainTextResponse("The body is no form.", 400)
        return {name: values[0] for name, values in parsed.items()}

    def _ask(self, device: Device, error: str = "", status: int = 200) -> Response:
        manifest = device.manifest
        return page(
            ASK,
            f"Allow {manifest.identifier}?",
            status=status,
            error=error,
            identifier=manifest.identifier,
            version=manifest.version,
            scopes=", ".join(manifest.scopes) or "nothing in particular",
            platform=self._platform.settings.name,
            code=device.code,
        )

    def _enter(self, error: str = "", status: int = 200) -> Response:
        return page(ENTER, "Enter the code", status=status, error=error, platform=self._platform.settings.name)


def _decided(device: Device) -> Response:
    app = device.manifest.identifier
    if device.status == "granted":
        return page(MESSAGE, f"{app} is signed in", text="You can close this page and go back to it.")
    return page(MESSAGE, f"{app} was denied", text="It cannot do anything in your name.")


def routes(platform: Platform) -> list[BaseRoute]:
    """Return the routes of the pages."""
    consent = Consent(platform)
    return [
        Route("/", consent.front),
        Route("/device", consent.entry, methods=["GET", "POST"]),
        Route("/configure", consent.entry, methods=["GET"]),
        Route("/configure/", consent.entry, methods=["GET"]),
        Route("/configure/{code}", consent.consent, methods=["GET", "POST"]),
    ]
