"""Which process serves a data directory: the lock that says so, and the runtime file that says where."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from jupyter_arkitekt import __version__, config
from jupyter_arkitekt.errors import AlreadyRunningError, ConfigError, PlatformError
from jupyter_arkitekt.server.identity._secrets import write_private
from jupyter_arkitekt.server.settings import Settings

_PORT_FILE = "port"


@contextlib.contextmanager
def holding(data_dir: Path) -> Iterator[None]:
    """Hold the data directory: nobody else serves it while the block runs, on any host that sees the folder.

    Raises
    ------
    AlreadyRunningError
        If another process holds it; the message has its address.
    """
    lock = FileLock(data_dir / "platform.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:  # an OSError too, as everything else that may happen here, which the caller explains
        url = _known_url(data_dir)
        where = f"at {url}" if url else "on another host, or is just starting"
        raise AlreadyRunningError(
            f"A platform already serves {data_dir} {where}. Use that one, end it with `arkitekt stop`, or name another "
            "folder with --data-dir.",
            url=url,
        ) from None
    try:
        yield
    finally:
        lock.release()


def bind(settings: Settings) -> socket.socket:
    """Return a listening socket on the address of `settings`; port 0 takes the one of the last run if it is free.

    Raises
    ------
    PlatformError
        If the address cannot be used.
    """
    remembered = _remembered_port(settings.data_dir) if settings.port == 0 else 0
    for port in [remembered, 0] if remembered else [settings.port]:
        try:
            return _listen(settings.host, port)
        except OSError as error:
            if port != remembered or not remembered:
                raise PlatformError(
                    f"The address {settings.host}:{port} cannot be used: {error.strerror or error}. "
                    "Choose another one with --port (0 finds a free one) or --host."
                ) from error
    raise AssertionError("unreachable: the last try returned or raised")


def url_of(bound: socket.socket) -> str:
    """Return the address under which this machine reaches a listening socket."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is looked at, not bound to
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def announce(settings: Settings, url: str) -> None:
    """Write the runtime file and the ready file: the platform answers at `url`.

    Raises
    ------
    PlatformError
        If one of them cannot be written.
    """
    facts = {"url": url, "pid": os.getpid(), "data_dir": str(settings.data_dir), "version": __version__}
    local = facts | {"host": config.host_name(), "boot_id": config.boot_id()}
    runtime = config.runtime_file(settings.data_dir)
    try:
        config.private_dir(runtime.parent)
        write_private(runtime, json.dumps(local) + "\n")
        write_private(settings.data_dir / _PORT_FILE, url.rpartition(":")[2] + "\n")
        if settings.ready_file is not None:
            write_private(settings.ready_file, json.dumps(facts) + "\n")
    except (ConfigError, OSError) as error:
        raise PlatformError(f"The platform cannot say where it is: {error}.") from error


def withdraw(settings: Settings) -> None:
    """Remove the runtime file, if it is still ours."""
    runtime = config.runtime_file(settings.data_dir)
    with contextlib.suppress(OSError, ValueError):
        facts = json.loads(runtime.read_text(encoding="utf-8"))
        if isinstance(facts, dict) and facts.get("pid") == os.getpid():
            runtime.unlink()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's algorithm off only where it is; 40 ms per call otherwise.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(2048)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def _remembered_port(data_dir: Path) -> int:
    try:
        port = int((data_dir / _PORT_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    return port if 1024 <= port <= 65535 else 0


def _known_url(data_dir: Path) -> str | None:
    try:
        url = json.loads(config.runtime_file(data_dir).read_text(encoding="utf-8"))["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if isinstance(url, str) else None
