"""Finding functions and calling them: the doors."""

from __future__ import annotations

from typing import Any

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.models import rekuest as words
from jupyter_arkitekt.models.rekuest import Action
from jupyter_arkitekt.rekuest._assignment import Assignment
from jupyter_arkitekt.rekuest._caller import caller_of
from jupyter_arkitekt.rekuest._current import current
from jupyter_arkitekt.rekuest._find import What, find_action, find_to_call, list_actions
from jupyter_arkitekt.rekuest._structures import structures
from jupyter_arkitekt.rekuest._task import Line, Task
from jupyter_arkitekt.rekuest._values import pack_args


def find(what: What) -> Action:
    """Return the function that `what` means on this deployment.

    Parameters
    ----------
    what
        Its name or key, its id, its hash, or a function that was registered here.

    Raises
    ------
    NotFoundError
        If there is none; the message names similar ones.
    CallError
        If there are several of that name; the message lists them.
    """
    return bridge.sync(_find(what))


async def afind(what: What) -> Action:
    """Async twin of `find`."""
    return await bridge.on_loop(_find(what))


def actions(search: str | None = None, *, limit: int = 200) -> list[Action]:
    """Return the functions that apps offer here, by name; only those whose name contains `search`."""
    return bridge.sync(_actions(search, limit))


async def aactions(search: str | None = None, *, limit: int = 200) -> list[Action]:
    """Async twin of `actions`."""
    return await bridge.on_loop(_actions(search, limit))


def call(what: What, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function that runs elsewhere and return its result. Ctrl-C cancels it there first.

    Parameters
    ----------
    what
        The function; see `find`.
    *args, **kwargs
        Its arguments. A structure may be given as an object or as its id.

    Returns
    -------
    object
        ``None``, the one result, or a tuple of them; of an action that yields a list of those.

    Raises
    ------
    ArgumentError
        If an argument is missing or does not fit; keeps ``port``.
    NoAgentError
        If nobody hosts the function now.
    TaskFailedError
        If it raised, or its app went away.
    TaskCancelledError
        If somebody cancelled it.
    """
    return bridge.sync(_call(what, args, kwargs))


async def acall(what: What, /, *args: Any, **kwargs: Any) -> Any:
    """Async twin of `call`; cancelling it cancels the function."""
    return await bridge.on_loop(_call(what, args, kwargs))


def start(what: What, /, *args: Any, **kwargs: Any) -> Task:
    """Call a function that runs elsewhere and do not wait for it; see `call`."""
    return bridge.sync(_start(what, args, kwargs))


async def astart(what: What, /, *args: Any, **kwargs: Any) -> Task:
    """Async twin of `start`."""
    return await bridge.on_loop(_start(what, args, kwargs))


def tasks(limit: int = 20) -> list[words.Task]:
    """Return the records of the last `limit` tasks on this deployment, the latest first."""
    return bridge.sync(_tasks(limit))


async def atasks(limit: int = 20) -> list[words.Task]:
    """Async twin of `tasks`."""
    return await bridge.on_loop(_tasks(limit))


async def _find(what: What) -> Action:
    return await find_action(context.current(), what)


async def _actions(search: str | None, limit: int) -> list[Action]:
    return await list_actions(context.current(), search, limit)


async def _call(what: What, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return await (await _start(what, args, kwargs)).wait()


async def _start(what: What, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Task:
    app = context.current()
    action = await find_to_call(app, what)
    wire = await pack_args(action.args, args, kwargs, structures, repr(action.name))
    task = Task(action, wire, _line(app))
    await task.send()
    return task


def _line(app: context.AppLike) -> Line:
    """Return the way of a call: over the agent's socket from inside a body, so that the server knows its parent."""
    running = current.get()
    if isinstance(running, Assignment) and running.children.app is app:
        return running.children
    return caller_of(app)


async def _tasks(limit: int) -> list[words.Task]:
    found: list[words.Task] = (
        await context.current()
        .service("rekuest")
        .query("tasks", list[words.Task], ordering=[{"createdAt": "DESC"}], pagination={"limit": limit})
    )
    return found
