"""The signature check against the examples that AWS publishes.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (four requests)
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html (a signed address)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

import pytest

from jupyter_arkitekt.server.objects import sigv4
from jupyter_arkitekt.server.objects._errors import S3Error

NOW = sigv4.parse_date("20130524T000000Z")
HOST = b"examplebucket.s3.amazonaws.com"
WELCOME = sha256(b"Welcome to Amazon S3.").hexdigest()


@dataclass(frozen=True)
class Example:
    """Someone's credentials, as AWS's examples have them."""

    access_key: str = "AKIAIOSFODNN7EXAMPLE"
    secret_key: str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@dataclass(frozen=True)
class Signed:
    """A signed request."""

    name: str
    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    payload: str
    signature: str

    def all_headers(self) -> list[tuple[bytes, bytes]]:
        own = [
            *self.headers,
            (b"host", HOST),
            (b"x-amz-content-sha256", self.payload.encode()),
            (b"x-amz-date", b"20130524T000000Z"),
        ]
        names = b";".join(sorted(name for name, _ in own)).decode()
        authorization = (
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            f"SignedHeaders={names},Signature={self.signature}"
        )
        return [*own, (b"authorization", authorization.encode())]


def lookup(access_key: str, token: str) -> Example:
    assert (access_key, token) == (Example().access_key, "")
    return Example()


def verify(
    signed: Signed, *, now: float = NOW, headers: list[tuple[bytes, bytes]] | None = None
) -> sigv4.Verified[Example]:
    headers = signed.all_headers() if headers is None else headers
    return sigv4.verify(signed.method, signed.path, signed.query, headers, lookup, now=now)


GET = Signed(
    "get",
    "GET",
    b"/test.txt",
    b"",
    ((b"range", b"bytes=0-9"),),
    sigv4.EMPTY_SHA256,
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
)
PUT = Signed(
    "put",
    "PUT",
    b"/test%24file.text",
    b"",
    ((b"date", b"Fri, 24 May 2013 00:00:00 GMT"), (b"x-amz-storage-class", b"REDUCED_REDUNDANCY")),
    WELCOME,
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
)
LIFECYCLE = Signed(
    "lifecycle",
    "GET",
    b"/",
    b"lifecycle",
    (),
    sigv4.EMPTY_SHA256,
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
)
LIST = Signed(
    "list",
    "GET",
    b"/",
    b"prefix=J&max-keys=2",
    (),
    sigv4.EMPTY_SHA256,
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
)
PRESIGNED = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)


@pytest.mark.parametrize("signed", [GET, PUT, LIFECYCLE, LIST], ids=lambda signed: signed.name)
def test_the_published_examples_are_right(signed: Signed) -> None:
    verified = verify(signed)
    assert verified.payload == signed.payload
    assert verified.holder == Example()


def test_every_change_to_a_published_example_is_refused() -> None:
    headers = PUT.all_headers()
    changes: dict[str, tuple[Signed, list[tuple[bytes, bytes]]]] = {
        "method": (replace(PUT, method="DELETE"), headers),
        "path": (replace(PUT, path=b"/test%24file.texT"), headers),
        "query": (replace(PUT, query=b"acl"), headers),
        "header": (PUT, [(name, value.replace(b"REDUCED", b"reduced")) for name, value in headers]),
        "missing header": (PUT, [item for item in headers if item[0] != b"date"]),
        "header twice": (PUT, [*headers, (b"date", b"Fri, 24 May 2013 00:00:00 GMT")]),
        "unsigned x-amz header": (PUT, [*headers, (b"x-amz-acl", b"public-read")]),
        "hash": (
            PUT,
            [(name, value.replace(WELCOME.encode(), sigv4.EMPTY_SHA256.encode())) for name, value in headers],
        ),
        "date": (PUT, [(name, value.replace(b"T000000Z", b"T000001Z")) for name, value in headers]),
        "region": (PUT, [(name, value.replace(b"us-east-1", b"us-east-2")) for name, value in headers]),
        "service": (PUT, [(name, value.replace(b"/s3/", b"/ec2/")) for name, value in headers]),
        "signature": (PUT, [(name, value.replace(b"98ad7217", b"98ad7218")) for name, value in headers]),
        "algorithm": (PUT, [(name, value.replace(b"AWS4-HMAC-SHA256", b"AWS4-HMAC-SHA1")) for name, value in headers]),
        "no signature": (PUT, headers[:-1]),
        "two signatures": (PUT, [*headers, headers[-1]]),
    }
    statuses = {what: refusal(signed, sent) for what, (signed, sent) in changes.items()}
    assert statuses == dict.fromkeys(changes, 403)


def refusal(signed: Signed, headers: list[tuple[bytes, bytes]]) -> int | None:
    try:
        verify(signed, headers=headers)
    except S3Error as error:
        return error.status
    return None


@pytest.mark.parametrize(("seconds", "good"), [(-901, False), (-899, True), (899, True), (901, False)])
def test_clocks_may_differ_by_a_quarter_of_an_hour(seconds: int, good: bool) -> None:
    if good:
        assert verify(GET, now=NOW + seconds).holder == Example()
    else:
        with pytest.raises(S3Error, match="RequestTimeTooSkewed"):
            verify(GET, now=NOW + seconds)


def test_a_body_signed_in_chunks_is_not_spoken() -> None:
    headers = [
        (name, b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD" if name == b"x-amz-content-sha256" else value)
        for name, value in PUT.all_headers()
    ]
    with pytest.raises(S3Error) as refused:
        verify(PUT, headers=headers)
    assert refused.value.status == 501


def presigned(query: str, *, method: str = "GET", now: float = NOW) -> sigv4.Verified[Example]:
    return sigv4.verify(method, b"/test.txt", query.encode(), [(b"host", HOST)], lookup, now=now)


def test_the_published_signed_address_is_right_for_a_day_and_for_reading() -> None:
    assert presigned(PRESIGNED, now=NOW + 86_399).query == {}
    ours = sigv4.presigned_query(
        path="/test.txt",
        host=HOST.decode(),
        access_key=Example().access_key,
        secret_key=Example().secret_key,
        session_token="",
        now=NOW,
        seconds=86_400,
    )
    assert ours == f"/test.txt?{PRESIGNED}"
    for query, method, now in [
        (PRESIGNED, "GET", NOW + 86_401),
        (PRESIGNED, "GET", NOW - 901),
        (PRESIGNED, "PUT", NOW),
        (PRESIGNED.replace("86400", "604801"), "GET", NOW),
        (PRESIGNED.replace("86400", "86401"), "GET", NOW),
        (PRESIGNED.replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="), "GET", NOW),
        (PRESIGNED + "&X-Amz-Expires=86400", "GET", NOW),
        (PRESIGNED + "&more=1", "GET", NOW),
    ]:
        with pytest.raises(S3Error) as refused:
            presigned(query, method=method, now=now)
        assert refused.value.status == 403
