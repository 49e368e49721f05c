"""The local platform's handle: find the one that runs for this user, or start it.

It is a process of its own, in a session of its own, so that a kernel's end does not take it along; all kernels of a
user share it. The operating-system lock on its data directory says whether it is there, the runtime file says where.
A runtime file alone proves nothing: its process may have been killed, the machine restarted, the folder may lie on a
network drive and the process on another host.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from jupyter_arkitekt import config
from jupyter_arkitekt.errors import ConfigError, PlatformError

#: Seconds after which a platform that nobody uses ends itself.
IDLE_SECONDS = 6 * 3600.0
#: Seconds for a start; on a busy machine with a cold disk it takes much longer than the usual half.
START_SECONDS = 60.0
#: Exit status of the server when another one holds the data directory.
_ALREADY_RUNNING = 3
_LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class Running:
    """A platform that runs on this host."""

    url: str
    data_dir: Path
    pid: int


def running_platform(data_dir: Path | None = None) -> Running | None:
    """Return the platform of `data_dir` that runs on this host, ``None`` when there is none.

    A runtime file that is damaged, or left by a process that is gone, counts as none.
    """
    folder = (data_dir or config.data_dir()).resolve()
    try:
        told = json.loads(config.runtime_file(folder).read_text(encoding="utf-8"))
        found = Running(str(told["url"]), folder, int(told["pid"]))
        here = told["host"] == config.host_name() and told["boot_id"] == config.boot_id()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if here and _is_alive(found.pid) and _is_held(folder) else None


def ensure_platform(data_dir: Path | None = None) -> Running:
    """Return the platform of `data_dir`, started if it does not run. Several that do so at once end up with one.

    Raises
    ------
    PlatformError
        If it cannot be started; the message has the last lines of its log.
    ConfigError
        If the folder cannot be used.
    """
    folder = config.private_dir((data_dir or config.data_dir()).resolve())
    deadline = time.monotonic() + START_SECONDS
    with _starting(folder, deadline):
        found = running_platform(folder)
        if found is not None:
            return found
        process = _spawn(folder)
        while True:
            found = running_platform(folder)
            if found is not None:
                return found
            status = process.poll()
            if status == _ALREADY_RUNNING and not _is_held(folder):
                # Somebody only looked whether the folder is held, just when our process wanted to hold it.
                process = _spawn(folder)
                continue
            if status is not None and status != _ALREADY_RUNNING:
                raise PlatformError(f"The local platform of {folder} did not start (exit {status}).{_why(folder)}")
            if time.monotonic() > deadline:
                if status is None:
                    process.kill()
                    process.wait()
                held = " Another host may be using the folder." if status == _ALREADY_RUNNING else ""
                raise PlatformError(
                    f"The local platform of {folder} did not answer within {START_SECONDS:g} s.{held}{_why(folder)}"
                )
            time.sleep(0.02)


def stop_platform(data_dir: Path | None = None, *, seconds: float = 10.0) -> bool:
    """End the platform of `data_dir`; ``False`` when none runs.

    Raises
    ------
    PlatformError
        If it does not end within `seconds`.
    """
    found = running_platform(data_dir)
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while _is_held(found.data_dir):
        if time.monotonic() > deadline:
            raise PlatformError(
                f"The platform at {found.url} (process {found.pid}) does not end. End the process by hand."
            )
        time.sleep(0.02)
    return True


def owner_token(data_dir: Path) -> str:
    """Return the single-use token that signs its owner in, from the file that only the owner can read.

    Raises
    ------
    ConfigError
        If it is not there, or others could read it.
    """
    path = data_dir / "owner.token"
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigError(
                f"{path} can be read by others. Run `chmod 600 {path}` and `arkitekt stop`, then try again."
            )
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The owner's sign-in {path} cannot be read: {error}. Restart the platform: `arkitekt stop`."
        ) from error


def _is_alive(pid: int) -> bool:
    """Say whether there is such a process; looked at first, as looking at the lock takes it for a moment."""
    if os.name != "posix":
        return True  # there, signal 0 would end the process; the lock decides alone
    if pid <= 0:
        return False  # 0 and below name groups of processes
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's, but alive
    return True


def _is_held(folder: Path) -> bool:
    lock = FileLock(folder / "platform.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


@contextmanager
def _starting(folder: Path, deadline: float) -> Iterator[None]:
    """Let one process of this user at a time look for the platform and start it."""
    lock = FileLock(folder / "starting.lock", mode=0o600)
    try:
        lock.acquire(timeout=max(0.0, deadline - time.monotonic()))
    except Timeout:
        raise PlatformError(
            f"Somebody else has been starting the platform of {folder} for {START_SECONDS:g} s.{_why(folder)}"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _spawn(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "jupyter_arkitekt.server", "serve", "--log-to-file"]
    command += ["--data-dir", str(folder), "--idle-seconds", str(IDLE_SECONDS)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAKTS_")}
    try:
        with (folder / "platform.err").open("wb") as errors:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
    except OSError as error:
        raise PlatformError(f"The local platform of {folder} cannot be started: {error}.") from error
    # It outlives us, or we outlive it; then somebody has to take its exit status, or it stays as a zombie.
    threading.Thread(target=process.wait, name="arkitekt-platform", daemon=True).start()
    return process


def _why(folder: Path) -> str:
    for name in ("platform.err", "platform.log"):
        try:
            lines = (folder / name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            continue
        if lines:
            return f" It said: {' / '.join(lines[-_LOG_LINES:])}"
    return ""
