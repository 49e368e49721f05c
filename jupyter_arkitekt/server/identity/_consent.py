"""The pages on which a person allows an app to act for them.

A person signs in with the form that allows: name and password, or a one-time token. No session is kept, so a page of
somebody else has nothing to ride on; the origin of the form is checked all the same, and wrong answers are limited.
"""

from __future__ import annotations

import asyncio
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from jupyter_arkitekt.server._edge import is_own_origin
from jupyter_arkitekt.server.http import TooLarge, client_address, read_body
from jupyter_arkitekt.server.identity._caller import IdentityError
from jupyter_arkitekt.server.identity._devices import Device
from jupyter_arkitekt.server.identity._limiter import Limiter
from jupyter_arkitekt.server.platform import Platform

_MAX_BODY = 16 * 1024
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #c9ccd1; --accent: #0b62c4; --bad: #b3261e; --soft: #f4f5f7; }}
@media (prefers-color-scheme: dark) {{ :root {{ --line: #4a4f57; --accent: #7db4ff; --bad: #ff8a80; --soft: #24272c; }} }}
* {{ box-sizing: border-box; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; overflow-wrap: anywhere; }}
dl {{ background: var(--soft); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: 1rem 0; }}
dt {{ font-size: .85rem; opacity: .8; }} dd {{ margin: 0 0 .5rem; overflow-wrap: anywhere; }}
fieldset {{ border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0; padding: .5rem 1rem 1rem; }}
label {{ display: block; margin-top: .5rem; }}
input {{ width: 100%; font: inherit; padding: .45rem .6rem; border: 1px solid var(--line); border-radius: .35rem; }}
button {{ font: inherit; padding: .5rem 1.1rem; border-radius: .35rem; border: 1px solid var(--accent); margin: .5rem .5rem 0 0;
  background: transparent; color: var(--accent); cursor: pointer; }}
button.main {{ background: var(--accent); color: Canvas; }}
:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 2px; }}
.error {{ color: var(--bad); font-weight: 600; }}
code {{ font-family: ui-monospace, monospace; }}
</style>
</head>
<body><main>{body}</main></body>
</html>
"""

_FORM = """<h1>Allow {app}?</h1>
<p>This app asks to act for you on <strong>{platform}</strong>. Allow it only if you have just started it yourself, and
the code below is the one that it shows.</p>
<dl><dt>Code</dt><dd><code>{code}</code></dd><dt>App</dt><dd>{identifier}, version {version}</dd>
<dt>What it asks for</dt><dd>{scopes}</dd></dl>
{error}
<form method="post" action="/configure/{code}">
<fieldset><legend>Who are you?</legend>
<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" maxlength="150">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024">
<p>Or, without a password:</p>
<label for="token">One-time token, from <code>arkitekt token create</code> on the server</label>
<input id="token" name="token" type="password" autocomplete="off" maxlength="200">
</fieldset>
<button class="main" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>"""

_ENTRY = """<h1>Enter the code</h1>
<p>The app that wants to sign in on <strong>{platform}</strong> shows it.</p>
{error}
<form method="post" action="/device"><label for="code">Code</label>
<input id="code" name="code" autocomplete="one-time-code" maxlength="16" autofocus>
<button class="main">Continue</button></form>"""


class Consent:
    """The pages of one platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._identity = platform.identity
        self._failures = Limiter(limit=10, seconds=60)

    async def entry(self, request: Request) -> Response:
        """Let a person type the code."""
        if request.method == "GET":
            return self._show_entry()
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        code = form.get("code", "").strip().lower()
        who = client_address(request)
        if self._failures.is_full(who):
            return self._show_entry("Too many wrong codes. Try again in a minute.", 429)
        if self._identity.devices.find(code) is None:
            self._failures.count(who)
            return self._show_entry("This code is not known, or has expired. Start the app again for a new one.", 404)
        return RedirectResponse(f"/configure/{code}", 303)

    async def consent(self, request: Request) -> Response:
        """Show what an app asks for, and take the person's decision."""
        code = str(request.path_params["code"])
        who = client_address(request)
        if self._failures.is_full(who):
            return _page("Too many attempts", "<h1>Too many attempts</h1><p>Try again in a minute.</p>", 429)
        device = self._identity.devices.find(code)
        if device is None:
            self._failures.count(who)
            return _page(
                "Unknown code",
                "<h1>This code is not known, or has expired</h1><p>Start the app again for a new one.</p>",
                404,
            )
        if device.status != "pending":
            return self._decided(device)
        if request.method == "GET":
            return self._ask(device)
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        try:
            return self._decided(await self._decide(device, form))
        except IdentityError as error:
            self._failures.count(who)
            return self._ask(device, f"{str(error)[:1].upper()}{str(error)[1:]}.", 403)

    async def _decide(self, device: Device, form: dict[str, str]) -> Device:
        if form.get("decision") == "deny":
            return self._identity.devices.decide(device.code, None, allow=False)
        if form.get("token"):
            user_id = self._identity.sign_in(form["token"].strip())
        else:
            user = await asyncio.to_thread(
                self._identity.users.check, form.get("username", ""), form.get("password", "")
            )
            if user is None:
                raise IdentityError("user name or password is wrong")
            user_id = user.id
        return self._identity.devices.decide(device.code, user_id, allow=True)

    async def _form(self, request: Request) -> dict[str, str] | Response:
        if not is_own_origin(request.headers, self._platform.settings):
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
        body = _FORM.format(
            app=escape(manifest.identifier),
            identifier=escape(manifest.identifier),
            version=escape(manifest.version),
            scopes=escape(", ".join(manifest.scopes) or "nothing in particular"),
            platform=escape(self._platform.settings.name),
            code=escape(device.code),
            error=_error(error),
        )
        return _page(f"Allow {manifest.identifier}?", body, status)

    def _decided(self, device: Device) -> Response:
        app = escape(device.manifest.identifier)
        if device.status == "granted":
            return _page("Allowed", f"<h1>{app} is signed in</h1><p>You can close this page and go back to it.</p>")
        return _page("Denied", f"<h1>{app} was denied</h1><p>It cannot do anything in your name.</p>")

    def _show_entry(self, error: str = "", status: int = 200) -> Response:
        body = _ENTRY.format(platform=escape(self._platform.settings.name), error=_error(error))
        return _page("Enter the code", body, status)


def routes(platform: Platform) -> list[BaseRoute]:
    """Return the routes of the pages."""
    consent = Consent(platform)
    return [
        Route("/device", consent.entry, methods=["GET", "POST"]),
        Route("/configure", consent.entry, methods=["GET"]),
        Route("/configure/{code}", consent.consent, methods=["GET", "POST"]),
    ]


def _error(text: str) -> str:
    return f'<p class="error" role="alert">{escape(text)}</p>' if text else ""


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status, headers=_HEADERS)
