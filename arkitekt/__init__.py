"""Arkitekt in the notebook: the names that people type. They come from `jupyter_arkitekt`, on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from jupyter_arkitekt.app import App, easy
    from jupyter_arkitekt.mikro import (
        Image,
        afrom_array_like,
        afrom_xarray,
        aget_image,
        aget_random_image,
        aimages,
        from_array_like,
        from_xarray,
        get_image,
        get_random_image,
        images,
    )
    from jupyter_arkitekt.rekuest import acall, afind, atasks, call, find, log, progress, register, tasks
    from jupyter_arkitekt.widgets import aform, form

_HOMES = {
    "jupyter_arkitekt.app": ("App", "easy"),
    "jupyter_arkitekt.mikro": (
        "Image",
        "afrom_array_like",
        "afrom_xarray",
        "aget_image",
        "aget_random_image",
        "aimages",
        "from_array_like",
        "from_xarray",
        "get_image",
        "get_random_image",
        "images",
    ),
    "jupyter_arkitekt.rekuest": (
        "acall",
        "afind",
        "atasks",
        "call",
        "find",
        "log",
        "progress",
        "register",
        "tasks",
    ),
    "jupyter_arkitekt.widgets": ("aform", "form"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "App",
    "Image",
    "acall",
    "afind",
    "aform",
    "afrom_array_like",
    "afrom_xarray",
    "aget_image",
    "aget_random_image",
    "aimages",
    "atasks",
    "call",
    "easy",
    "find",
    "form",
    "from_array_like",
    "from_xarray",
    "get_image",
    "get_random_image",
    "images",
    "load_ipython_extension",
    "log",
    "progress",
    "register",
    "tasks",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"arkitekt has no name {name!r}. It has: {', '.join(__all__)}.")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Sign this kernel in: what ``%load_ext arkitekt`` does."""
    import_module("jupyter_arkitekt.extension").load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Undo exactly what loading did: what ``%unload_ext arkitekt`` does."""
    import_module("jupyter_arkitekt.extension").unload(ipython)
