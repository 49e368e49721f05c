"""Secrets: made, derived, hashed and compared, never stored.

Claim tokens and client secrets are derived with the platform's own key from what the client holds anyway. So the same
answer can be given again (redeeming is idempotent) although the database only has hashes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from jupyter_arkitekt.errors import PlatformError

# RFC 7914, section 2; 16 MiB and some 50 ms per password.
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


def new_token() -> str:
    """Return 32 random bytes as text."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is stored of a token. It is random, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def derive(key: bytes, purpose: str, *parts: str) -> str:
    """Return a 32-byte token that only the holder of `key` can compute from `parts`."""
    message = "\0".join((purpose, *parts)).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, message, "sha256")).rstrip(b"=").decode()


def same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def hash_password(password: str) -> str:
    """Return what is stored of a password."""
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}"


def check_password(password: str, stored: str | None) -> bool:
    """Compare `password` with what is stored; takes as long when nothing is."""
    if stored is None:
        _scrypt(password, b"nobody has this")
        return False
    _, salt, expected = stored.split("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(expected))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_SCRYPT["n"], r=_SCRYPT["r"], p=_SCRYPT["p"], dklen=32)


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` at once, readable by the owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - the atomic one
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def platform_key(data_dir: Path) -> bytes:
    """Return the platform's key of 32 bytes, made at the first start.

    Raises
    ------
    PlatformError
        If the file is there but damaged.
    """
    path = data_dir / "secret.key"
    try:
        key = bytes.fromhex(path.read_text().strip())
    except FileNotFoundError:
        key = secrets.token_bytes(32)
        write_private(path, key.hex())
        return key
    except ValueError:
        key = b""
    if len(key) != 32:
        raise PlatformError(f"{path} is damaged. Remove it; every app then has to sign in again.")
    return key
