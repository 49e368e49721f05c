"""`arkitekt doctor`: look at what most often goes wrong, one line each."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import stat
import sys
from collections.abc import Iterator
from pathlib import Path


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    verb = subparsers.add_parser("doctor", help="look at what most often goes wrong")
    verb.set_defaults(act=_doctor)


def _doctor(_arguments: argparse.Namespace) -> int:
    healthy = True
    for good, line in (*_packages(), *_folders(), *_server()):
        healthy = healthy and good
        sys.stdout.write(f"{'ok  ' if good else 'BAD '} {line}\n")
    return 0 if healthy else 1


def _packages() -> Iterator[tuple[bool, str]]:
    from jupyter_arkitekt.app._mix import advice

    yield sys.version_info >= (3, 11), f"Python {platform.python_version()} (3.11 or newer is needed)"
    yield True, f"jupyter-arkitekt {importlib.metadata.version('jupyter-arkitekt')}"
    mixed = advice()
    if mixed is not None:
        yield False, mixed
    from jupyter_arkitekt import widgets

    bundle = Path(widgets.__file__).parent / "static"
    built = sorted(path.name for path in bundle.glob("*.js"))
    yield (
        bool(built),
        f"widgets: {', '.join(built) or 'not built; run `make setup` in a checkout, or install the wheel'}",
    )


def _folders() -> Iterator[tuple[bool, str]]:
    from jupyter_arkitekt import config

    for what, folder in (("data", config.data_dir()), ("sign-ins", config.cache_dir() / "fakts")):
        if not folder.exists():
            yield True, f"{what}: {folder} (not made yet)"
            continue
        private = sys.platform == "win32" or not stat.S_IMODE(folder.stat().st_mode) & 0o077
        yield private, f"{what}: {folder}{'' if private else ' can be read by others: chmod 700'}"


def _server() -> Iterator[tuple[bool, str]]:
    from jupyter_arkitekt import bridge, config
    from jupyter_arkitekt.app import running_platform
    from jupyter_arkitekt.errors import ArkitektError
    from jupyter_arkitekt.fakts import discover

    url = config.env(config.FAKTS_URL)
    if url is None:
        found = running_platform()
        if found is None:
            yield True, "server: none is set by FAKTS_URL, and the local platform does not run; a notebook starts it"
            return
        url = found.url
    try:
        server = bridge.sync(discover(url))
    except ArkitektError as error:
        yield False, f"server: {error}"
    else:
        yield True, f"server: {server.name} (version {server.version or 'not said'}) answers"
