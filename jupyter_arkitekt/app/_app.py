"""An app: signed in at one server, with the services that it reaches there."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from contextvars import Token
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from jupyter_arkitekt import __version__, bridge, config, context
from jupyter_arkitekt.app import _local
from jupyter_arkitekt.errors import ConnectError, NotConnectedError, SignInError, redact
from jupyter_arkitekt.models.fakts import ActiveFacts, Alias, AuthFacts, Discovery, Manifest
from jupyter_arkitekt.transport import GraphQLClient

if TYPE_CHECKING:
    from jupyter_arkitekt.fakts import DeviceCode, Tokens

T = TypeVar("T")
_logger = logging.getLogger(__name__)

#: Told about a sign-in that waits for a person.
DeviceHook = Callable[["DeviceCode"], Awaitable[None]]

#: Attempts with the owner's file, which every kernel that signs in replaces.
_OWNER_ATTEMPTS = 20


class App:
    """An app, made by `easy`.

    Use it as ``with app:``, ``async with app:``, or with `enter` and `exit`. While it is entered, calls inside the block
    go to it; the first app that is entered is also the one that other threads find.

    Parameters
    ----------
    manifest
        What the app says of itself.
    url
        Address of the server, ``None`` for the local platform, which is started if it does not run.
    claim_token, redeem_token
        Ways to sign in without a person.
    device_hook
        Told about the page on which a person has to allow the app, when there is no other way.
    """

    def __init__(
        self,
        manifest: Manifest,
        url: str | None,
        *,
        claim_token: str | None = None,
        redeem_token: str | None = None,
        device_hook: DeviceHook | None = None,
    ) -> None:
        self.manifest = manifest
        self.deployment = ""
        self.user: str | None = None
        self._asked = url
        self._url = url or ""
        self._claim_token = claim_token
        self._redeem_token = redeem_token
        self._device_hook = device_hook
        self._data_dir: Path | None = None
        self._tokens: Tokens | None = None
        self._aliases: dict[str, Alias] = {}
        self._clients: dict[str, GraphQLClient] = {}
        self._slots: dict[str, Any] = {}
        self._making = threading.RLock()
        self._overrides: list[Token[Any]] = []
        self._before: context.AppLike | None = None

    @property
    def identifier(self) -> str:
        """Name of the app, as the server knows it."""
        return self.manifest.identifier

    @property
    def url(self) -> str:
        """Address of the server, without secrets."""
        return redact(self._url).rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether the server is the local platform."""
        return self._asked is None

    @property
    def entered(self) -> bool:
        """Whether the app is signed in now."""
        return self._tokens is not None

    def __repr__(self) -> str:
        if not self.entered:
            where = redact(self._asked) if self._asked else "the local platform"
            return f"<App {self.identifier}, not entered, for {where}>"
        who = f" as {self.user}" if self.user else ""
        return f"<App {self.identifier}{who} at {self.deployment}, {self.url}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's signature
        """Show the line of the repr as text and HTML."""
        from html import escape

        return {"text/plain": repr(self), "text/html": f"<code>{escape(repr(self))}</code>"}

    # -- entering ----------------------------------------------------------------------------------------------------

    def enter(self) -> Self:
        """Sign in and become the app that calls go to, in this and in the following cells, until `exit`.

        Raises
        ------
        ConnectError
            If the server cannot be reached.
        SignInError
            If it does not let the app in.
        PlatformError
            If the local platform cannot be started.
        """
        bridge.sync(self.connect())
        return self._take_over(everywhere=True)

    def exit(self) -> None:
        """End everything that belongs to the app, and give the place back."""
        self._step_down()
        bridge.sync(self._close())

    async def aenter(self) -> Self:
        """Enter, from an event loop; see `enter`."""
        await bridge.on_loop(self.connect())
        return self._take_over(everywhere=True)

    async def aexit(self) -> None:
        """Exit, from an event loop; see `exit`."""
        self._step_down()
        await bridge.on_loop(self._close())

    def __enter__(self) -> Self:
        bridge.sync(self.connect())
        return self._take_over(everywhere=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.exit()

    async def __aenter__(self) -> Self:
        await bridge.on_loop(self.connect())
        return self._take_over(everywhere=False)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aexit()

    def run(self) -> None:
        """Host the registered functions until Ctrl-C or SIGTERM.

        Raises
        ------
        NotConnectedError
            If the app is not entered.
        CallError, ConnectError
            If the server does not want this agent (any more).
        """
        from jupyter_arkitekt.rekuest import serve_until_stopped

        self._require()
        serve_until_stopped(self)

    # -- what others need of an app ----------------------------------------------------------------------------------

    def service(self, key: str) -> GraphQLClient:
        """Return the GraphQL client of the service `key`: ``"mikro"`` or ``"rekuest"``."""
        tokens = self._require()
        client = self._clients.get(key)
        if client is None:
            endpoint = self.endpoint(key)
            client = self._clients[key] = GraphQLClient(
                endpoint, tokens.get, service=key, schema_cache=_schema_file(endpoint), renew=tokens.replace
            )
        return client

    def endpoint(self, key: str) -> str:
        """Return the base URL of `key`: ``"mikro"``, ``"rekuest"`` or ``"s3"``."""
        self._require()
        alias = self._aliases.get(key)
        if alias is None:
            raise ConnectError(f"{self.deployment} at {self.url} gives this app no service {key!r}.")
        return alias.url()

    async def token(self) -> str:
        """Return a valid access token, renewed when needed."""
        return await self._require().get()

    def slot(self, key: str, factory: Callable[[], T]) -> T:
        """Return the one object `key` of this app, made by `factory` at first; its ``aclose`` is awaited at exit."""
        self._require()
        with self._making:  # threads ask at once; a factory may ask for another slot
            if key not in self._slots:
                self._slots[key] = factory()
            return cast("T", self._slots[key])

    # -- inside ------------------------------------------------------------------------------------------------------

    def _require(self) -> Tokens:
        if self._tokens is None:
            raise NotConnectedError(
                f"The app {self.identifier} is not entered. Put the call into `with app:`, or call `app.enter()` first."
            )
        return self._tokens

    def _take_over(self, *, everywhere: bool) -> Self:
        self._overrides.append(context._override.set(self))  # noqa: SLF001 - `use` as two halves
        if everywhere:
            # A cell that awaits takes its context variables along when it ends; the kernel-wide slot stays.
            present = context._kernel_wide  # noqa: SLF001
            if present is not self:
                self._before = present
                context.set_current(self)
        else:
            context.offer(self)
        return self

    def _step_down(self) -> None:
        if self._overrides:
            token = self._overrides.pop()
            with contextlib.suppress(ValueError):  # entered in another cell or task: its context is gone already
                context._override.reset(token)  # noqa: SLF001 - `use` as two halves
            if context._override.get() is self:  # noqa: SLF001
                context._override.set(None)  # noqa: SLF001
        if not self._overrides:
            before, self._before = self._before, None
            if context._kernel_wide is self:  # noqa: SLF001
                context.set_current(before if isinstance(before, App) and before.entered else None)

    async def connect(self) -> None:
        """Sign in, on the background loop; `enter` does so and becomes the app that calls go to."""
        if self._tokens is not None:
            return
        from jupyter_arkitekt.fakts import FactsCache, Tokens, choose_aliases, discover

        if self._asked is None:
            running = await asyncio.to_thread(_local.ensure_platform)
            self._url, self._data_dir = running.url, running.data_dir
        server = await discover(self._url)
        cache = FactsCache(self._url, self.manifest, self._redeem_token)
        kept = await asyncio.to_thread(cache.read) if self._claim_token is None else None
        facts = kept.fakts if kept is not None else None
        if facts is not None and not await self._still_known(facts):
            cache.forget()
            facts = None
        if facts is None:
            facts = await self._sign_in(server, cache)
        try:
            aliases = await choose_aliases(facts, self.manifest.requirements)
        except (ConnectError, SignInError):
            if kept is None:
                raise
            facts = await self._sign_in(server, cache)
            aliases = await choose_aliases(facts, self.manifest.requirements)
        await asyncio.to_thread(cache.write, facts)

        async def reregister() -> AuthFacts:
            cache.forget()
            fresh = await self._sign_in(server, cache)
            return fresh.auth

        tokens = Tokens(facts.auth, reregister)
        access = await tokens.get()
        self.deployment = facts.self_.deployment_name
        self.user = facts.auth.user or _user_of(access)
        self._aliases = aliases
        self._tokens = tokens
        await self._report(facts, aliases)

    async def _still_known(self, facts: ActiveFacts) -> bool:
        """Ask for a token with kept credentials: the server may have been set up anew since."""
        from jupyter_arkitekt.fakts import Tokens
        from jupyter_arkitekt.fakts._tokens import InvalidClientError

        try:
            await Tokens(facts.auth).get()
        except (InvalidClientError, ConnectError):
            return False
        return True

    async def _sign_in(self, server: Discovery, cache: Any) -> ActiveFacts:
        from jupyter_arkitekt.fakts import claim

        facts = await claim(server, await self._grant(server))
        await asyncio.to_thread(cache.write, facts)
        return facts

    async def _grant(self, server: Discovery) -> str:
        """Return a claim token by the first way there is."""
        from jupyter_arkitekt.fakts import DeviceCode, redeem

        if self._claim_token is not None:
            return self._claim_token
        if self._redeem_token is not None:
            return await redeem(server, self.manifest, self._redeem_token)
        if self._data_dir is not None:
            return await self._grant_as_owner(server, self._data_dir)
        if self._device_hook is None:
            raise SignInError(
                f"{server.name} at {self.url} wants a person to allow this app, and there is nobody to ask here. Give a "
                f"redeem token: {config.FAKTS_REDEEM_TOKEN} in the environment, or easy(..., redeem_token=…)."
            )
        code = await DeviceCode.start(server, self.manifest)
        await self._device_hook(code)
        return await code.wait()

    async def _grant_as_owner(self, server: Discovery, data_dir: Path) -> str:
        from jupyter_arkitekt.fakts import redeem

        for attempt in range(_OWNER_ATTEMPTS):
            token = await asyncio.to_thread(_local.owner_token, data_dir)
            try:
                return await redeem(server, self.manifest, token)
            except SignInError:
                if attempt == _OWNER_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.05)  # another kernel was faster; the file is being replaced
        raise AssertionError("unreachable: the last attempt returned or raised")

    async def _report(self, facts: ActiveFacts, aliases: dict[str, Alias]) -> None:
        from jupyter_arkitekt.fakts._claim import report

        await report(facts, aliases)

    async def _close(self) -> None:
        if self._overrides:
            return  # entered more than once
        for key, held in reversed(list(self._slots.items())):
            close = getattr(held, "aclose", None)
            if close is not None:
                try:
                    await close()
                except Exception:
                    _logger.exception("%s of the app %s could not be closed in order", key, self.identifier)
        self._slots.clear()
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
        self._tokens = None


def _schema_file(endpoint: str) -> Path:
    digest = hashlib.sha256(f"{endpoint}:{__version__}".encode()).hexdigest()[:24]
    return config.cache_dir() / "schemas" / f"{digest}.graphql"


def _user_of(access_token: str) -> str | None:
    """Return the name in a JWT (RFC 7519); the services check it, we only show it. ``None`` for an opaque token."""
    parts = access_token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    name = claims.get("preferred_username") if isinstance(claims, dict) else None
    return name if isinstance(name, str) else None
