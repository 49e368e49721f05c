"""A second opinion on S3: a signing client written from AWS's documents alone, which can also sign wrongly on purpose.

It shares no line with the server's check, so that an error in one of them shows.
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import quote, urlsplit

import httpx

from jupyter_arkitekt.server.objects import Grant


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@dataclass
class Wrong:
    """What is done wrongly on purpose.

    Attributes
    ----------
    skew
        How far the client's clock is off.
    scope
        What follows the day in the scope of the credential.
    headers
        Headers that are sent besides the signed ones, or in their place; ``None`` leaves one out.
    path, query, body, method
        What is sent in place of what was signed.
    payload
        What is said, and signed, to be the hash of the body.
    """

    skew: timedelta = timedelta()
    scope: str = "us-east-1/s3/aws4_request"
    headers: Mapping[str, str | None] = field(default_factory=dict)
    path: str | None = None
    query: str | None = None
    body: bytes | None = None
    method: str | None = None
    payload: str | None = None


class SignedClient:
    """Sends signed requests over one connection pool; a context manager.

    Parameters
    ----------
    url
        The server, without a slash at its end.
    grant
        What is signed with.
    """

    def __init__(self, url: str, grant: Grant) -> None:
        self.grant = grant
        self._url = url
        self._host = urlsplit(url).netloc
        self._client = httpx.Client(timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self._client.close()

    def __call__(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        bucket: str | None = None,
        wrong: Wrong | None = None,
    ) -> httpx.Response:
        """Send a request for `key`, or for the bucket itself, and return the answer."""
        return self._client.send(self._build(method, key, query, body, headers, bucket, wrong or Wrong()))

    def raw_head(self, method: str, key: str, *, body: bytes = b"") -> bytes:
        """Return the head of a request as it goes over the wire; its body is left to the caller."""
        request = self._build(method, key, None, body, None, None, Wrong())
        lines = [b"%s %s HTTP/1.1" % (method.encode(), request.url.raw_path)]
        lines += [b"%s: %s" % pair for pair in request.headers.raw]
        return b"\r\n".join([*lines, b"", b""])

    def _build(
        self,
        method: str,
        key: str,
        query: Mapping[str, str] | None,
        body: bytes,
        headers: Mapping[str, str] | None,
        bucket: str | None,
        wrong: Wrong,
    ) -> httpx.Request:
        path = f"/{bucket or self.grant.bucket}" + (f"/{quote(key)}" if key else "")
        pairs = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in (query or {}).items())
        canonical_query = "&".join(f"{name}={value}" for name, value in pairs)
        signed = self._sign(method, path, canonical_query, body, headers or {}, wrong)
        for name, value in wrong.headers.items():
            signed.pop(name, None)
            if value is not None:
                signed[name] = value
        sent_query = canonical_query if wrong.query is None else wrong.query
        target = (wrong.path or path) + (f"?{sent_query}" if sent_query else "")
        return self._client.build_request(
            wrong.method or method,
            httpx.URL(self._url).copy_with(raw_path=target.encode()),
            headers=signed,
            content=body if wrong.body is None else wrong.body,
        )

    def _sign(
        self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str], wrong: Wrong
    ) -> dict[str, str]:
        date = (datetime.now(UTC) + wrong.skew).strftime("%Y%m%dT%H%M%SZ")
        payload = wrong.payload or hashlib.sha256(body).hexdigest()
        signed = {name.lower(): value for name, value in headers.items()} | {
            "host": self._host,
            "x-amz-content-sha256": payload,
            "x-amz-date": date,
            "x-amz-security-token": self.grant.session_token,
        }
        names = sorted(signed)
        lines = "".join(f"{name}:{signed[name]}\n" for name in names)
        canonical = "\n".join([method, path, query, lines, ";".join(names), payload])
        scope = f"{date[:8]}/{wrong.scope}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = f"AWS4{self.grant.secret_key}".encode()
        for part in scope.split("/"):
            key = _hmac(key, part)
        signature = _hmac(key, f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}").hex()
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.grant.access_key}/{scope},"
            f"SignedHeaders={';'.join(names)},Signature={signature}"
        )
        return signed
