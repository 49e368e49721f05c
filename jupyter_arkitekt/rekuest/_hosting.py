"""Who hosts, and when it begins: in a script when asked to, in a notebook by itself."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.errors import NotConnectedError
from jupyter_arkitekt.rekuest._agent import Agent
from jupyter_arkitekt.rekuest._functions import functions

logger = logging.getLogger("jupyter_arkitekt.rekuest")

_lock = threading.Lock()
_watching = False


def agent_of(app: context.AppLike) -> Agent:
    """Return the agent of `app`, which may not host yet."""
    with _lock:  # asked for on any thread
        return app.slot("rekuest.agent", lambda: Agent(app))


def host(app: context.AppLike | None = None) -> Agent:
    """Begin to host the registered functions in the background, again if that has ended, and return the agent.

    Parameters
    ----------
    app
        Who hosts; the current app when left out.

    Raises
    ------
    NotConnectedError
        If no app is signed in here.
    """
    agent = agent_of(app if app is not None else context.current())
    bridge.loop().call_soon_threadsafe(agent.start)
    return agent


async def serve(app: context.AppLike) -> None:
    """Host the registered functions until cancelled, or until the platform does not want it any more.

    Raises
    ------
    CallError
        If the platform sends this app away, or another process hosts as the same app.
    """
    if not functions.hosted_by(app):
        logger.warning("%r hosts nothing: no function is registered. Write @register above one.", app.identifier)
    agent = agent_of(app)
    agent.start()
    await agent.wait()


def serve_until_stopped(app: context.AppLike) -> None:
    """Host the registered functions until Ctrl-C or SIGTERM; both end it quietly.

    Callers of what runs then are told. On other threads than the main one only cancelling ends it.

    Raises
    ------
    CallError
        If the platform sends this app away, or another process hosts as the same app.
    """
    with _terminable(), contextlib.suppress(KeyboardInterrupt):
        bridge.sync(serve(app))


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does, and Ctrl-C work where a shell that started us in the background took it away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def host_in_kernel() -> None:
    """Begin to host by itself, now or as soon as an app is signed in, if this is a notebook's kernel."""
    global _watching
    if not in_kernel():
        return
    with _lock:
        first, _watching = not _watching, True
    if first:
        context.observe(_host_if_any)
    _host_if_any(context.current_or_none())


def _host_if_any(app: context.AppLike | None) -> None:
    if app is not None and functions.hosted_by(app):
        with contextlib.suppress(NotConnectedError):  # it was left in the meantime; the next one will host
            host(app)


def in_kernel() -> bool:
    """Whether this process is the kernel of a notebook."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None


functions.observe(host_in_kernel)
