"""AWS Signature Version 4: who signed this request, and was it changed since?

Pure functions over method, path, query and headers; no I/O, the clock is an argument. Written from the public
documentation:

- https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (canonical request, string to sign, header)
- https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html (the same in a URL)
- https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html (signed chunks: refused here with 501)

Stricter than AWS in one point: every ``x-amz-*`` header that is there must be signed, and so must ``host``.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Generic, Protocol, TypeVar
from urllib.parse import quote, unquote_to_bytes

from ._errors import S3Error, denied, forbidden, not_implemented

ALGORITHM = "AWS4-HMAC-SHA256"
REGION = "us-east-1"
SERVICE = "s3"
#: The clocks of client and server may differ by so many seconds.
MAX_SKEW = 15 * 60
#: Longest life of a presigned URL in seconds.
MAX_PRESIGNED = 7 * 24 * 3600
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = sha256(b"").hexdigest()

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=([^,\s]+) *, *SignedHeaders=([^,\s]+) *, *Signature=([0-9a-f]{{64}})"
)
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SPACES = re.compile(rb" +")


class Keyed(Protocol):
    """Whoever can sign."""

    @property
    def secret_key(self) -> str:
        """What they sign with."""


H = TypeVar("H", bound=Keyed)
Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Verified(Generic[H]):
    """A request whose signature is right.

    Attributes
    ----------
    holder
        Whoever signed it, as the look-up returned them.
    payload
        SHA-256 in hex that the body must have, ``None`` when the signature does not say.
    query
        The parameters of the request, decoded, without those of the signature.
    """

    holder: H
    payload: str | None
    query: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says about its signature."""

    access_key: str
    scope: str
    day: str
    signed_headers: str
    signature: str
    date: str
    token: str


def verify(
    method: str,
    path: bytes,
    query: bytes,
    headers: Sequence[tuple[bytes, bytes]],
    lookup: Callable[[str, str], H],
    *,
    now: float,
) -> Verified[H]:
    """Check the signature of a request, in its header or in its URL.

    Parameters
    ----------
    method
        HTTP method.
    path, query
        As they were sent, percent-encoded; `query` without the question mark.
    headers
        Names in lower case.
    lookup
        Returns the holder of an access key and session token, or raises the 403 of somebody unknown.
    now
        Seconds since the epoch.

    Raises
    ------
    S3Error
        403, if anything is missing, wrong, out of date or was changed; 501 for signed chunks.
    """
    pairs = parse_query(query)
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise denied("A parameter is given twice.")
    authorization = _values(headers, b"authorization")
    if "X-Amz-Signature" in parameters:
        if authorization:
            raise denied("The request is signed twice, in its header and in its address.")
        return _verify_presigned(method, path, parameters, headers, lookup, now)
    if not authorization:
        raise denied("The request is not signed.")

    claim = _read_header(authorization, headers)
    _check_skew(claim.date, now)
    payload = _payload(headers)
    holder = lookup(claim.access_key, claim.token)
    _check_signature(claim, holder, method, path, canonical_query(pairs), headers, payload)
    return Verified(holder, None if payload == UNSIGNED_PAYLOAD else payload, parameters)


def _verify_presigned(
    method: str,
    path: bytes,
    parameters: dict[str, str],
    headers: Sequence[tuple[bytes, bytes]],
    lookup: Callable[[str, str], H],
    now: float,
) -> Verified[H]:
    if method not in {"GET", "HEAD"}:
        raise denied("A signed address is for reading only.")
    if parameters.get("X-Amz-Algorithm") != ALGORITHM:
        raise denied(f"X-Amz-Algorithm has to be {ALGORITHM}.")
    try:
        seconds = int(parameters["X-Amz-Expires"])
        claim = _claim(
            parameters["X-Amz-Credential"],
            parameters["X-Amz-SignedHeaders"],
            parameters["X-Amz-Signature"],
            parameters["X-Amz-Date"],
            parameters.get("X-Amz-Security-Token", ""),
        )
    except (KeyError, ValueError) as error:
        raise denied("The signed address lacks a parameter, or one of them is malformed.") from error
    begin = parse_date(claim.date)
    if begin > now + MAX_SKEW:
        raise _skewed()
    if not 0 < seconds <= MAX_PRESIGNED or now > begin + seconds:
        raise denied("The signed address is no longer good.")
    holder = lookup(claim.access_key, claim.token)
    signed = [pair for pair in parameters.items() if pair[0] != "X-Amz-Signature"]
    _check_signature(claim, holder, method, path, canonical_query(signed), headers, UNSIGNED_PAYLOAD)
    rest = {name: value for name, value in signed if not name.startswith("X-Amz-")}
    return Verified(holder, None, rest)


def _check_signature(
    claim: _Claim,
    holder: Keyed,
    method: str,
    path: bytes,
    query: str,
    headers: Sequence[tuple[bytes, bytes]],
    payload: str,
) -> None:
    canonical = canonical_request(
        method, path, query, canonical_headers(headers, claim.signed_headers), claim.signed_headers, payload
    )
    expected = sign(holder.secret_key, claim.day, string_to_sign(claim.date, claim.scope, canonical))
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise mismatch("The signature is not the one that belongs to this request.")


def _read_header(authorization: list[bytes], headers: Headers) -> _Claim:
    found = _AUTHORIZATION.fullmatch(authorization[0].decode("latin-1").strip())
    if not found or len(authorization) != 1:
        raise denied(f"The Authorization header is no {ALGORITHM} signature.")
    date = _single(headers, b"x-amz-date")
    if date is None:
        raise denied("The header x-amz-date is missing.")
    return _claim(found[1], found[2], found[3], date, _single(headers, b"x-amz-security-token") or "")


def _claim(credential: str, signed_headers: str, signature: str, date: str, token: str) -> _Claim:
    access_key, _, scope = credential.partition("/")
    day = date[:8]
    if scope != f"{day}/{REGION}/{SERVICE}/aws4_request":
        raise denied(f"The credential's scope has to be the day of the request, then {REGION}/{SERVICE}/aws4_request.")
    return _Claim(access_key, scope, day, signed_headers, signature, date, token)


def _payload(headers: Headers) -> str:
    """Return what the client says of its body: a hash, or that it does not say."""
    payload = _single(headers, b"x-amz-content-sha256")
    if payload is None:
        raise denied("The header x-amz-content-sha256 is missing.")
    if payload.startswith("STREAMING-"):
        raise not_implemented("bodies that are signed in chunks")
    if payload != UNSIGNED_PAYLOAD and not _SHA256.fullmatch(payload):
        raise denied("The header x-amz-content-sha256 is no SHA-256.")
    return payload


def _check_skew(date: str, now: float) -> None:
    if abs(parse_date(date) - now) > MAX_SKEW:
        raise _skewed()


def _skewed() -> S3Error:
    return forbidden(
        "RequestTimeTooSkewed", f"The clocks of client and server differ by more than {MAX_SKEW // 60} minutes."
    )


def mismatch(message: str) -> S3Error:
    """Return the 403 of a request that was changed after it was signed."""
    return forbidden("SignatureDoesNotMatch", message)


def parse_date(date: str) -> int:
    """Return a date such as ``20130524T000000Z`` as seconds since the epoch.

    Raises
    ------
    S3Error
        403, if it is none.
    """
    found = _DATE.fullmatch(date)
    if not found:
        raise denied("The date of the request is malformed.")
    year, month, day, hour, minute, second = map(int, found.groups())
    try:
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError as error:
        raise denied("The date of the request is none.") from error


def format_date(seconds: float) -> str:
    """Return seconds since the epoch as a date such as ``20130524T000000Z``."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def parse_query(query: bytes) -> list[tuple[str, str]]:
    """Return the parameters of a query, decoded; a plus sign is a space, as HTML forms and many S3 clients write it.

    Raises
    ------
    S3Error
        403, if it is not UTF-8.
    """
    try:
        return [
            (_unquote(name), _unquote(value))
            for name, _, value in (part.partition(b"=") for part in query.split(b"&") if part)
        ]
    except UnicodeDecodeError as error:
        raise denied("The query is not UTF-8.") from error


def _unquote(text: bytes) -> str:
    return unquote_to_bytes(text.replace(b"+", b" ")).decode()


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the parameters encoded and in order, as they are signed."""
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def canonical_headers(headers: Sequence[tuple[bytes, bytes]], signed: str) -> str:
    """Return the signed headers as they are signed, one line each.

    Raises
    ------
    S3Error
        403, if one that has to be signed is not, or one that is signed is not there.
    """
    names = signed.split(";")
    if names != sorted(set(names)) or signed != signed.lower():
        raise denied("SignedHeaders has to be in lower case and in order.")
    wanted = {name.encode("latin-1") for name in names}
    values: dict[bytes, list[bytes]] = {name: [] for name in wanted}
    for name, value in headers:
        if name in wanted:
            values[name].append(_SPACES.sub(b" ", value.strip()))
        elif name == b"host" or name.startswith(b"x-amz-"):
            raise denied(f"The header {name.decode('latin-1')} is not signed.")
    if b"host" not in wanted or not all(values.values()):
        raise mismatch("A header that was signed is missing.")
    return "".join(
        f"{name}:{b','.join(values[name.encode('latin-1')]).decode('utf-8', 'surrogateescape')}\n" for name in names
    )


def canonical_request(method: str, path: bytes, query: str, headers: str, signed: str, payload: str) -> bytes:
    """Return the request in the one form that is signed."""
    uri = quote(unquote_to_bytes(path), safe="/-_.~")
    return f"{method}\n{uri}\n{query}\n{headers}\n{signed}\n{payload}".encode("utf-8", "surrogateescape")


def string_to_sign(date: str, scope: str, canonical: bytes) -> str:
    """Return what is signed: algorithm, date, scope and the hash of the canonical request."""
    return f"{ALGORITHM}\n{date}\n{scope}\n{sha256(canonical).hexdigest()}"


def sign(secret_key: str, day: str, text: str) -> str:
    """Return the signature of `text` in hex."""
    return hmac.digest(_signing_key(secret_key, day), text.encode(), sha256).hex()


@lru_cache(maxsize=1024)
def _signing_key(secret_key: str, day: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, REGION, SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), sha256)
    return key


def presigned_query(
    *, path: str, host: str, access_key: str, secret_key: str, session_token: str, now: float, seconds: int
) -> str:
    """Return `path` with a query that lets anybody read it for `seconds`.

    Parameters
    ----------
    path
        Not encoded, with its leading slash.
    host
        ``host:port`` as the reader will name it.
    access_key, secret_key, session_token
        Credentials; an empty token is left out.
    now
        Seconds since the epoch.
    seconds
        How long it is good, at most a week.
    """
    date = format_date(now)
    scope = f"{date[:8]}/{REGION}/{SERVICE}/aws4_request"
    parameters = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{access_key}/{scope}",
        "X-Amz-Date": date,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    if session_token:
        parameters["X-Amz-Security-Token"] = session_token
    query = canonical_query(parameters.items())
    uri = quote(path, safe="/-_.~")
    canonical = canonical_request("GET", uri.encode(), query, f"host:{host}\n", "host", UNSIGNED_PAYLOAD)
    signature = sign(secret_key, date[:8], string_to_sign(date, scope, canonical))
    return f"{uri}?{query}&X-Amz-Signature={signature}"


def _values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


def _single(headers: Headers, name: bytes) -> str | None:
    """Return the value of a header that may be there once.

    Raises
    ------
    S3Error
        403, if it is there more often.
    """
    values = _values(headers, name)
    if len(values) > 1:
        raise denied(f"The header {name.decode('latin-1')} is given twice.")
    return values[0].decode("latin-1").strip() if values else None
