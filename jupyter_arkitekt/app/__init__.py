"""The app: one sign-in, the services it reaches, and the objects that belong to it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_arkitekt.app._app import App
    from jupyter_arkitekt.app._easy import easy
    from jupyter_arkitekt.app._kernel import SignIn, connect_kernel
    from jupyter_arkitekt.app._local import Running, ensure_platform, running_platform, stop_platform

_HOMES = {
    "App": "_app",
    "Running": "_local",
    "SignIn": "_kernel",
    "connect_kernel": "_kernel",
    "easy": "_easy",
    "ensure_platform": "_local",
    "running_platform": "_local",
    "stop_platform": "_local",
}

__all__ = ["App", "Running", "SignIn", "connect_kernel", "easy", "ensure_platform", "running_platform", "stop_platform"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
