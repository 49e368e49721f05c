"""The terminal: `arkitekt VERB`. Each verb is a module; what it needs is loaded when it is used."""

from __future__ import annotations

import argparse
import sys
import traceback

from jupyter_arkitekt import __version__

__all__ = ["main"]

#: Verbs of the platform; they run in its own program, with its own options.
_SERVER = {
    "serve": "serve the platform: --host, --port, --data-dir, --ready-file, …",
    "token": "redeem tokens: create, list, revoke",
    "user": "people who may sign in: add, passwd, list, disable",
}


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says and return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in _SERVER:
        from jupyter_arkitekt.cli._server import hand_over

        return hand_over(given)
    parsed = _parser().parse_args(given)
    from jupyter_arkitekt.errors import ArkitektError

    try:
        status: int = parsed.act(parsed)
    except ArkitektError as error:
        if parsed.debug:
            traceback.print_exc()
        else:
            sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    from jupyter_arkitekt.cli import _demo, _doctor, _local

    parser = argparse.ArgumentParser(
        prog="arkitekt", description="Arkitekt in the notebook, and a platform that a laptop can run."
    )
    parser.add_argument("--version", action="version", version=f"jupyter-arkitekt {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="VERB")
    for verb in (_demo, _local, _doctor):
        verb.add_parsers(subparsers)
    for name, text in _SERVER.items():
        subparsers.add_parser(name, help=text, add_help=False)
    return parser
