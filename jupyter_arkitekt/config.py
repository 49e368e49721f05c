"""Environment and paths: the only place that reads an environment variable or knows where files live."""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import tempfile
from pathlib import Path

import platformdirs

from jupyter_arkitekt.errors import ConfigError

APP_NAME = "jupyter-arkitekt"

#: Names of the environment variables; the first three as upstream names them.
FAKTS_URL = "FAKTS_URL"
FAKTS_TOKEN = "FAKTS_TOKEN"  # noqa: S105 - the name of a variable
FAKTS_REDEEM_TOKEN = "FAKTS_REDEEM_TOKEN"  # noqa: S105 - the name of a variable
ARKITEKT_DATA_DIR = "ARKITEKT_DATA_DIR"


def env(name: str) -> str | None:
    """Return the environment variable `name`, ``None`` when it is unset or blank."""
    return os.environ.get(name, "").strip() or None


def private_dir(path: Path) -> Path:
    """Make `path` a folder that only its owner can read, and return it.

    Raises
    ------
    ConfigError
        If it cannot be made, or belongs to somebody else.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        info = path.stat()
        if hasattr(os, "getuid") and info.st_uid != os.getuid():
            raise ConfigError(
                f"{path} belongs to another user. Remove it, or name another folder by {ARKITEKT_DATA_DIR}."
            )
        if os.name == "posix" and stat.S_IMODE(info.st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise ConfigError(
            f"The folder {path} cannot be used: {error.strerror or error}. Name another one by {ARKITEKT_DATA_DIR}."
        ) from error
    return path


def data_dir() -> Path:
    """Folder of the local platform: ``ARKITEKT_DATA_DIR``, or the user's data folder. Not created here."""
    named = env(ARKITEKT_DATA_DIR)
    return Path(named).expanduser().resolve() if named else Path(platformdirs.user_data_dir(APP_NAME, False)).resolve()


def cache_dir() -> Path:
    """Folder for sign-ins and schemas that can be had again. Not created here."""
    named = env(ARKITEKT_DATA_DIR)
    return data_dir() / "cache" if named else Path(platformdirs.user_cache_dir(APP_NAME, False))


def runtime_dir() -> Path:
    """Folder local to this host for what lives as long as a process. Not created here.

    A home may lie on NFS and be seen by many hosts, a runtime folder is seen by one.
    """
    base = env("XDG_RUNTIME_DIR")
    if base and Path(base).is_dir():
        return Path(base) / APP_NAME
    user = str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir()) / f"{APP_NAME}-{user}"


def runtime_file(data: Path) -> Path:
    """Return the file that says which process serves the data directory `data` on this host."""
    digest = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]
    return runtime_dir() / f"{digest}.json"


def host_name() -> str:
    """Return the name of this host, as it stands in runtime files."""
    return platform.node()


def boot_id() -> str:
    """Return what names this host's current boot, empty where the system does not say.

    Source: random(4), ``/proc/sys/kernel/random/boot_id``.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
