"""From what a person calls a function to the action that the deployment knows."""

from __future__ import annotations

import contextlib
import difflib
import re
import time
from collections.abc import Callable
from typing import Any

from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.errors import ArgumentError, ArkitektError, CallError, NotFoundError
from jupyter_arkitekt.models.rekuest import Action, Implementation
from jupyter_arkitekt.rekuest import _docs
from jupyter_arkitekt.rekuest._functions import Function, functions
from jupyter_arkitekt.rekuest._hosting import agent_of

What = str | int | Action | Callable[..., Any]

_HASH = re.compile(r"[0-9a-f]{64}")

#: Names that are looked through for one that was mistyped.
MAX_NAMES = 500

#: Seconds for which a name is taken to mean the same.
REMEMBERED = 1.0


async def find_action(app: AppLike, what: What) -> Action:
    """Return the action that `what` means: an action, its id, hash, name or key, or a registered function.

    Raises
    ------
    NotFoundError
        If there is none; the message names similar ones.
    CallError
        If there are several; the message lists them.
    ArgumentError
        If `what` is nothing that can be looked for.
    """
    if isinstance(what, Action):
        return what
    if isinstance(what, int) and not isinstance(what, bool):
        return await _by_id(app, str(what))
    if isinstance(what, str):
        text = what.strip()
        if text.isdecimal():
            return await _by_id(app, text)
        if _HASH.fullmatch(text):
            found: Action = await app.service("rekuest").query("action", Action, hash=text)
            return found
        with contextlib.suppress(ArkitektError):
            # What was just registered here is to be found as it is now.
            agent = agent_of(app)
            if agent.started:
                await agent.ready()
        return await _by_name(app, text)
    if callable(what):
        return await _of_function(app, what)
    raise ArgumentError(f"find() got {what!r}: a name, an id, a hash or a registered function is needed.")


class Names:
    """What names meant a moment ago, so that a loop of calls by name asks for it once a second, not each time."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, int, Action]] = {}

    async def find(self, app: AppLike, name: str) -> Action:
        """Return what `name` means, or meant at most `REMEMBERED` seconds ago."""
        known = self._known.get(name)
        now = time.monotonic()
        if known is not None and now - known[0] < REMEMBERED and known[1] == functions.changes:
            return known[2]
        changes = functions.changes
        found = await find_action(app, name)
        self._known = {key: one for key, one in self._known.items() if now - one[0] < REMEMBERED}
        self._known[name] = (now, changes, found)
        return found


async def find_to_call(app: AppLike, what: What) -> Action:
    """Return the action that `what` means; names are remembered for a moment."""
    if isinstance(what, str):
        return await app.slot("rekuest.names", Names).find(app, what)
    return await find_action(app, what)


async def list_actions(app: AppLike, search: str | None, limit: int) -> list[Action]:
    """Return the actions whose name contains `search`, by name."""
    found: list[Action] = await app.service("rekuest").query(
        "actions", list[Action], filters={"search": search} if search else None, pagination={"limit": limit}
    )
    return sorted(found, key=lambda action: (action.name.casefold(), int(action.id) if action.id.isdecimal() else 0))


async def _by_id(app: AppLike, id_: str) -> Action:
    found: Action = await app.service("rekuest").query("action", Action, id=id_)
    return found


async def _by_name(app: AppLike, name: str) -> Action:
    if not name:
        raise ArgumentError("find() got an empty name.")
    # A key is found by the name that is made of it, and one that was named otherwise by asking for the key itself.
    for search in dict.fromkeys((name, _docs.title(name))):
        candidates = await list_actions(app, search, MAX_NAMES)
        matches = [action for action in candidates if name in (action.name, action.key)] or [
            action for action in candidates if name.casefold() in (action.name.casefold(), action.key.casefold())
        ]
        if matches:
            return _only(name, matches)
    try:
        found: Action = await app.service("rekuest").query("action", Action, matching={"key": name})
    except NotFoundError:
        raise NotFoundError(await _advice(app, name)) from None
    return found


def _only(name: str, matches: list[Action]) -> Action:
    if len(matches) == 1:
        return matches[0]
    told = "; ".join(
        f"{action.id}: {action.name!r} of {action.app.identifier if action.app else 'an unnamed app'}, "
        f"version {action.version or 'unknown'}"
        for action in matches[:8]
    )
    more = f"; and {len(matches) - 8} more" if len(matches) > 8 else ""
    raise CallError(f"{name!r} means {len(matches)} functions here. Take one of them by its id: {told}{more}.")


async def _advice(app: AppLike, name: str) -> str:
    known = await list_actions(app, None, MAX_NAMES)
    names = {word: action.name for action in known for word in (action.name.casefold(), action.key.casefold())}
    close = dict.fromkeys(names[word] for word in difflib.get_close_matches(name.casefold(), names, n=3))
    hint = (
        f"Did you mean {' or '.join(repr(one) for one in close)}?"
        if close
        else f"actions() lists the {len(known)} that there are."
        if known
        else "No app offers any function yet."
    )
    return f"{app.url} has no function {name!r}. {hint}"


async def _of_function(app: AppLike, function: Callable[..., Any]) -> Action:
    registered = function if isinstance(function, Function) else None
    if registered is None:
        mine = [known for known in functions.hosted_by(app) if known.function is function]
        if not mine:
            name = getattr(function, "__name__", repr(function))
            raise ArgumentError(f"{name} is not registered. Write @register above it, or call it directly.")
        registered = mine[0]
    agent = agent_of(app)
    if agent.started:
        await agent.ready()
        offered: Implementation = await app.service("rekuest").query(
            "myImplementationAt", Implementation, interface=registered.interface
        )
        return offered.action
    # Not hosted by this process: the same function may be hosted by the same app in another one.
    definition = registered.definition
    demand = {"key": definition.key, "version": definition.version, "app": app.identifier}
    try:
        found: Action = await app.service("rekuest").query("action", Action, matching=demand)
    except NotFoundError:
        raise NotFoundError(
            f"{registered.interface!r} is registered here and nobody hosts it. Host it with app.run() in another "
            "process, or call it directly."
        ) from None
    return found
