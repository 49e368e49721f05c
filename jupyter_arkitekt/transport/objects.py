"""Object stores behind the platform's S3 door, through obstore."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obstore.store import S3Credential, S3Store

__all__ = ["store"]

#: The region that Arkitekt's stores sign for.
REGION = "us-east-1"


def store(
    endpoint: str,
    credentials: Callable[[], Coroutine[Any, Any, S3Credential]] | Callable[[], S3Credential],
    bucket: str,
    prefix: str = "",
) -> S3Store:
    """Return the store of everything below ``bucket/prefix``.

    Parameters
    ----------
    endpoint
        Address of the S3 service, without a path.
    credentials
        Provider, asked again when what it gave expires: ``{"access_key_id", "secret_access_key", "token",
        "expires_at"}`` with an aware datetime, or ``None`` for keys that do not expire. A coroutine function serves the
        async operations only.
    bucket, prefix
        Where the grant points to.
    """
    from obstore.store import S3Store

    return S3Store(
        bucket,
        prefix=prefix or None,
        endpoint=endpoint.rstrip("/"),
        region=REGION,
        virtual_hosted_style_request=False,
        credential_provider=credentials,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=120),
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
    )
