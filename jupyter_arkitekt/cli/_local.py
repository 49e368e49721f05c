"""`arkitekt status`, `stop` and `logout`: the local platform and the sign-ins that are kept on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs."""
    for name, act, text in (
        ("status", _status, "say whether the local platform runs, and where"),
        ("stop", _stop, "end the local platform"),
    ):
        verb = subparsers.add_parser(name, help=text)
        verb.add_argument("--data-dir", type=Path, default=None, help="folder of the platform")
        verb.set_defaults(act=act)
    subparsers.add_parser("logout", help="forget the sign-ins kept on this machine").set_defaults(act=_logout)


def _status(arguments: argparse.Namespace) -> int:
    from jupyter_arkitekt import config
    from jupyter_arkitekt.app import running_platform

    folder = arguments.data_dir or config.data_dir()
    found = running_platform(folder)
    if found is None:
        sys.stdout.write(f"no platform runs on {folder}; a notebook starts it with %load_ext arkitekt\n")
        return 1
    sys.stdout.write(f"running at {found.url}, process {found.pid}, data in {found.data_dir}\n")
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    from jupyter_arkitekt import config
    from jupyter_arkitekt.app import stop_platform

    folder = arguments.data_dir or config.data_dir()
    sys.stdout.write(f"stopped ({folder})\n" if stop_platform(folder) else f"no platform runs on {folder}\n")
    return 0


def _logout(_arguments: argparse.Namespace) -> int:
    from jupyter_arkitekt.fakts._cache import forget_all

    number = forget_all()
    sys.stdout.write(f"forgot {number} sign-in{'' if number == 1 else 's'}\n")
    return 0
