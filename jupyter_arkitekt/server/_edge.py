"""The outermost layer: who may talk to the platform at all.

* A platform on a loopback address answers only requests that name a loopback host. A web page whose name was rebound to
  127.0.0.1 names its own host and is refused.
* Websockets that a web page opens (they carry an Origin) have to come from our own pages or a named origin.
* Everything else is authorised by bearer tokens, never by cookies or by where it came from, so other pages may read it:
  the same CORS headers as upstream's services send.
* It also counts: when something was asked last, and how many sockets are open.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jupyter_arkitekt.server.settings import Settings, is_loopback

#: Paths that pages of other origins may read.
_SHARED = re.compile(r"/(\.well-known|lok|mikro|rekuest)(/|$)")

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "86400",
}

_HOST = re.compile(r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?")


class Activity:
    """When the platform was last used."""

    def __init__(self) -> None:
        self.open = 0
        self._last = time.monotonic()

    def enter(self) -> None:
        """Note that a request or a socket begins."""
        self.open += 1

    def leave(self) -> None:
        """Note that it ended."""
        self.open -= 1
        self._last = time.monotonic()

    def idle_seconds(self) -> float:
        """Return how long nobody has been here."""
        return 0.0 if self.open else time.monotonic() - self._last


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings, activity: Activity) -> None:
        self._app = app
        self._settings = settings
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        self._activity.enter()
        try:
            headers = Headers(scope=scope)
            refusal = self._refusal(scope, headers)
            if refusal is not None:
                await _refuse(refusal, scope, receive, send)
            elif scope["type"] == "websocket" or not _SHARED.match(scope["path"]):
                await self._app(scope, receive, send)
            elif scope["method"] == "OPTIONS":
                await Response(headers=_CORS)(scope, receive, send)
            else:
                await self._app(scope, receive, _with_cors(send))
        finally:
            self._activity.leave()

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        match = _HOST.fullmatch(host)
        if match is None or len(headers.getlist("host")) != 1:
            return PlainTextResponse("The Host header is missing or malformed.", 400)
        if self._settings.loopback and not is_loopback(match["host"].strip("[]")):
            return PlainTextResponse(
                "This platform serves its own machine only and answers to a loopback address.", 421
            )
        if scope["type"] == "websocket" and not is_own_origin(headers, self._settings.origins):
            return PlainTextResponse("Pages of this origin may not open a websocket here.", 403)
        return None


def is_own_origin(headers: Headers, others: Collection[str] = ()) -> bool:
    """Say whether the request comes from no page, from a page of ours, or from a page of one of the origins `others`."""
    origin = headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() or origin in others


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        # Before it is accepted, a closed websocket is answered with status 403.
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await response(scope, receive, send)


def _with_cors(send: Send) -> Send:
    async def send_with_cors(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _CORS.items():
                headers[name] = value
        await send(message)

    return send_with_cors
