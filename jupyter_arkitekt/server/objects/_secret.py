"""The platform's secret: 32 random bytes in a file that only its owner can read.

Whoever knows it can make credentials for every object, so that it never leaves this file and the memory of the server.
Deleting the file ends all credentials that are in use.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from jupyter_arkitekt.config import private_dir
from jupyter_arkitekt.errors import ConfigError

SECRET_BYTES = 32
SECRET_FILE = "objects.secret"  # noqa: S105 - the name of a file


def load_secret(data_dir: Path) -> bytes:
    """Return the secret of the platform in `data_dir`, made on first use.

    Raises
    ------
    ConfigError
        If the file cannot be read or written, is damaged, or can be read by others.
    """
    path = private_dir(data_dir) / SECRET_FILE
    try:
        if not path.exists():
            _create(path)
        return _read(path)
    except OSError as error:
        raise ConfigError(f"The secret {path} cannot be used: {error.strerror or error}.") from error


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with open(descriptor, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise ConfigError(f"{path} is no plain file. Remove it and start again.")
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise ConfigError(
                f"{path} can be read by others, so that it is no secret any more. Remove it and start again: "
                "credentials that are in use end, nothing else is lost."
            )
        secret = file.read(SECRET_BYTES + 1)
    if len(secret) != SECRET_BYTES:
        raise ConfigError(f"{path} is damaged: it has to hold {SECRET_BYTES} bytes. Remove it and start again.")
    return secret


def _create(path: Path) -> None:
    """Make the file so that it is complete from the moment it has its name, and the first of two makers wins."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        except OSError:
            # A file system without hard links.
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
