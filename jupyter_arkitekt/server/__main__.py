"""`python -m jupyter_arkitekt.server`: serve a data directory, or administer it."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from jupyter_arkitekt import config
from jupyter_arkitekt.errors import AlreadyRunningError, PlatformError
from jupyter_arkitekt.server._admin import add_parsers, administer
from jupyter_arkitekt.server.settings import Settings

#: Exit status when another process serves the data directory.
ALREADY_RUNNING = 3


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds > 0:
        raise argparse.ArgumentTypeError("a time is a number of seconds above 0")
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="arkitekt", description="The platform of jupyter-arkitekt.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = subparsers.add_parser("serve", help="serve a data directory")
    serve.add_argument("--host", default="127.0.0.1", help="address to bind to (default: this machine only)")
    serve.add_argument("--port", type=_port, default=0, help="port; 0, the default, takes the last one or a free one")
    serve.add_argument("--data-dir", type=Path, default=None, help="folder for everything the platform keeps")
    serve.add_argument("--ready-file", type=Path, default=None, help="written once the platform answers")
    serve.add_argument("--idle-seconds", type=_seconds, default=None, help="end after so long without anybody")
    serve.add_argument("--name", default="arkitekt", help="name shown to people")
    serve.add_argument("--origin", action="append", default=[], help="origin of a page that may open websockets")
    serve.add_argument("--log-to-file", action="store_true", help="log to platform.log in the data directory")
    serve.add_argument("--verbose", action="store_true", help="log more")
    serve.add_argument("--database", default=None, metavar="URL", help=argparse.SUPPRESS)
    serve.add_argument("--storage", default=None, metavar="URL", help=argparse.SUPPRESS)
    serve.add_argument("--bus", default=None, metavar="URL", help=argparse.SUPPRESS)
    serve.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    add_parsers(subparsers)
    return parser


def _serve(arguments: argparse.Namespace) -> None:
    for option, given in (
        ("--database", arguments.database is not None),
        ("--storage", arguments.storage is not None),
        ("--bus", arguments.bus is not None),
        ("--workers", arguments.workers != 1),
    ):
        if given:
            raise PlatformError(
                f"{option} is not there yet: this version serves one process with SQLite and a folder. Leave it out."
            )
    gc.disable()  # starting makes no garbage, and looking for some takes a fifth of the start; enabled once it answers
    from jupyter_arkitekt.server._serve import serve, set_up_logging

    data_dir = (arguments.data_dir or config.data_dir()).expanduser().resolve()
    settings = Settings(
        data_dir=data_dir,
        host=arguments.host,
        port=arguments.port,
        ready_file=arguments.ready_file,
        idle_seconds=arguments.idle_seconds,
        name=arguments.name,
        origins=frozenset(arguments.origin),
    )
    if arguments.log_to_file:
        try:
            config.private_dir(data_dir)
        except ValueError as error:
            raise PlatformError(str(error)) from error
    set_up_logging(settings, verbose=arguments.verbose, to_file=arguments.log_to_file)
    serve(settings)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says and return the exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        if parsed.command == "serve":
            _serve(parsed)
        else:
            administer(parsed)
    except AlreadyRunningError as error:
        sys.stderr.write(f"{error}\n")
        return ALREADY_RUNNING
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
