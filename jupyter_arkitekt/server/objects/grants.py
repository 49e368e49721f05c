"""Short-lived credentials for one prefix of one bucket, kept by nobody.

A grant is three strings, as S3 knows them. The session token carries what the grant allows and until when, signed
with the platform's secret; the secret key is derived from the token with the same secret. So the server keeps no
list: it checks the token that comes with each request and derives the key again. Grants survive a restart, cost no
table, and end by time alone.

Both uses of the secret have a key of their own (HMAC with a label), so that no signature of one is good for the other.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Self

from ._errors import S3Error, forbidden
from ._keys import check_key
from ._secret import load_secret
from .sigv4 import presigned_query

#: Longest life of a grant: that of a presigned URL of S3, a week.
MAX_SECONDS = 7 * 24 * 3600
_MAX_TOKEN = 4096
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Grant:
    """Credentials for the object `key` and everything below ``key/`` in `bucket`.

    Attributes
    ----------
    access_key, secret_key, session_token
        What an S3 client signs with; the last two are secrets.
    bucket, key
        Where they are good.
    path
        The same as a URL, ``s3://bucket/key``.
    expires_in
        Seconds that they are good for, counted from their making.
    """

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(repr=False)
    bucket: str
    key: str
    path: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Who made a request: what the credentials allow.

    Attributes
    ----------
    bucket, prefix
        Where they are good: the object `prefix` and everything below ``prefix/``.
    write
        Whether they may write and delete, besides reading.
    expires
        Seconds since the epoch.
    access_key, secret_key
        What the request must have been signed with.
    """

    bucket: str
    prefix: str
    write: bool
    expires: int
    access_key: str
    secret_key: str = field(repr=False)

    def covers(self, key: str) -> bool:
        """Tell whether `key` lies where these credentials are good."""
        return key == self.prefix or key.startswith(f"{self.prefix}/")


class Grants:
    """Makes and checks grants.

    Parameters
    ----------
    secret
        The platform's secret, 32 bytes.
    clock
        Returns seconds since the epoch.
    """

    def __init__(self, secret: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._token_key = hmac.digest(secret, b"arkitekt s3 session token", sha256)
        self._secret_key = hmac.digest(secret, b"arkitekt s3 secret key", sha256)
        self._opened = lru_cache(maxsize=1024)(self._open_token)

    @classmethod
    def open(cls, data_dir: Path) -> Self:
        """Return the grants of the platform in `data_dir`; its secret is made on first use.

        Raises
        ------
        ConfigError
            If the secret cannot be used.
        """
        return cls(load_secret(data_dir))

    def issue(self, bucket: str, prefix: str, *, write: bool, seconds: int = 3600) -> Grant:
        """Make credentials for the object `prefix` and everything below ``prefix/``.

        Parameters
        ----------
        bucket, prefix
            Where they are good.
        write
            Whether they may write and delete; reading they always may.
        seconds
            How long they are good, at most a week.

        Raises
        ------
        S3Error
            If `prefix` is no key.
        ValueError
            If `seconds` is out of bounds.
        """
        check_key(prefix)
        if not 0 < seconds <= MAX_SECONDS:
            raise ValueError(f"A grant is good for 1 to {MAX_SECONDS} seconds, not {seconds}.")
        access_key = f"ARKI{secrets.token_hex(8).upper()}"
        facts = [_VERSION, bucket, prefix, int(write), int(self.clock()) + seconds, access_key]
        payload = _b64(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode())
        return Grant(
            access_key=access_key,
            secret_key=self._derive(payload),
            session_token=f"{payload}.{self._sign(payload)}",
            bucket=bucket,
            key=prefix,
            path=f"s3://{bucket}/{prefix}",
            expires_in=seconds,
        )

    def holder(self, access_key: str, session_token: str) -> Holder:
        """Return what the credentials allow.

        Raises
        ------
        S3Error
            403, if they were not made here, do not belong together, or are no longer good.
        """
        holder = self._opened(session_token)
        if not hmac.compare_digest(holder.access_key.encode(), access_key.encode()):
            raise _foreign()
        if self.clock() >= holder.expires:
            raise forbidden("ExpiredToken", "These credentials are no longer good. Ask for new ones.")
        return holder

    def presign(self, grant: Grant, *, host: str, key: str | None = None, seconds: int = 3600) -> str:
        """Return path and query under which anybody can read an object of `grant` for a while.

        Parameters
        ----------
        grant
            What the address is signed with; it ends with the grant at the latest.
        host
            ``host:port`` as the reader will name it in the ``Host`` header.
        key
            The object, by default that of the grant.
        seconds
            How long the address is good.
        """
        return presigned_query(
            path=f"/{grant.bucket}/{grant.key if key is None else key}",
            host=host,
            access_key=grant.access_key,
            secret_key=grant.secret_key,
            session_token=grant.session_token,
            now=self.clock(),
            seconds=seconds,
        )

    def _open_token(self, token: str) -> Holder:
        payload, dot, signature = token.partition(".")
        if not dot or len(token) > _MAX_TOKEN or not token.isascii():
            raise _foreign()
        if not hmac.compare_digest(self._sign(payload), signature):
            raise _foreign()
        try:
            version, bucket, prefix, write, expires, access_key = json.loads(_unb64(payload))
        except (ValueError, Base64Error) as error:
            raise _foreign() from error
        if version != _VERSION:
            raise _foreign()
        return Holder(bucket, prefix, bool(write), expires, access_key, self._derive(payload))

    def _sign(self, payload: str) -> str:
        return _b64(hmac.digest(self._token_key, payload.encode(), sha256))

    def _derive(self, payload: str) -> str:
        return _b64(hmac.digest(self._secret_key, payload.encode(), sha256))


def _foreign() -> S3Error:
    return forbidden("InvalidAccessKeyId", "These credentials were not made by this server.")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
