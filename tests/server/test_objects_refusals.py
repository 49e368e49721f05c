"""What the S3 door refuses: changed requests, foreign credentials, keys of others, odd requests, and when there is no room."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from jupyter_arkitekt.server.objects import Grants
from jupyter_arkitekt.testing._door import RunningDoor, serve_door
from jupyter_arkitekt.testing._s3 import SignedClient, Wrong

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDoor]:
    with serve_door(tmp_path_factory.mktemp("door"), max_object_bytes=4 * MIB) as served:
        yield served


@pytest.fixture
def key() -> str:
    return uuid4().hex


@pytest.fixture
def client(door: RunningDoor, key: str) -> Iterator[SignedClient]:
    with SignedClient(door.url, door.grant(key)) as client:
        yield client


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Code>")[2].partition("<")[0]


LARGE = b"p" * (2 * MIB)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (Wrong(body=b"pixelS"), "SignatureDoesNotMatch"),
        (Wrong(headers={"x-amz-content-sha256": "0" * 64}), "SignatureDoesNotMatch"),
        (Wrong(headers={"x-amz-date": "20200101T000000Z"}), "AccessDenied"),
        (Wrong(headers={"x-custom": "changed"}), "SignatureDoesNotMatch"),
        (Wrong(headers={"x-custom": None}), "SignatureDoesNotMatch"),
        (Wrong(headers={"x-amz-acl": "public-read"}), "AccessDenied"),
        (Wrong(headers={"host": "127.0.0.1"}), "SignatureDoesNotMatch"),
        (Wrong(headers={"authorization": None}), "AccessDenied"),
        (Wrong(headers={"x-amz-security-token": None}), "InvalidAccessKeyId"),
        (Wrong(query="x=1"), "SignatureDoesNotMatch"),
        (Wrong(method="DELETE"), "SignatureDoesNotMatch"),
        (Wrong(skew=timedelta(minutes=16)), "RequestTimeTooSkewed"),
        (Wrong(skew=timedelta(minutes=-16)), "RequestTimeTooSkewed"),
        (Wrong(scope="us-east-2/s3/aws4_request"), "AccessDenied"),
        (Wrong(scope="us-east-1/ec2/aws4_request"), "AccessDenied"),
        (Wrong(payload="UNSIGNED-PAYLOAD"), "AccessDenied"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_that_was_changed_is_forbidden_and_changes_nothing(
    door: RunningDoor, key: str, client: SignedClient, wrong: Wrong, expected: str
) -> None:
    assert client("PUT", f"{key}/a", body=b"before", headers={"x-custom": "same"}).status_code == 200
    before = door.files()
    assert code(client("PUT", f"{key}/a", body=b"pixels", headers={"x-custom": "same"}, wrong=wrong)) == (403, expected)
    assert client("GET", f"{key}/a").content == b"before"
    assert door.files() == before


def test_a_changed_path_is_forbidden(key: str, client: SignedClient) -> None:
    client("PUT", f"{key}/a", body=b"1")
    assert code(client("GET", f"{key}/a", wrong=Wrong(path=f"/zarr/{key}/b"))) == (403, "SignatureDoesNotMatch")


def test_a_changed_byte_late_in_a_large_body_is_found(door: RunningDoor, key: str, client: SignedClient) -> None:
    before = door.files()
    answer = client("PUT", f"{key}/a", body=LARGE, wrong=Wrong(body=LARGE[:-1] + b"q"))
    assert code(answer) == (403, "SignatureDoesNotMatch")
    assert door.files() == before


def test_foreign_expired_and_mixed_credentials_are_forbidden(door: RunningDoor, key: str, tmp_path: Path) -> None:
    def put(grants: Grants, seconds: int = 3600) -> tuple[int, str]:
        with SignedClient(door.url, grants.issue("zarr", key, write=True, seconds=seconds)) as client:
            return code(client("PUT", key, body=b"1"))

    secret = (door.data_dir / "objects.secret").read_bytes()
    assert put(Grants.open(tmp_path)) == (403, "InvalidAccessKeyId")
    assert put(Grants(secret, clock=lambda: 1_000_000.0)) == (403, "ExpiredToken")
    mixed, other = door.grant(key), door.grant("other")
    for name in ("access_key", "secret_key", "session_token"):
        object.__setattr__(mixed, name, getattr(other, name))
        with SignedClient(door.url, mixed) as client:
            assert client("PUT", key, body=b"1").status_code == 403
        mixed = door.grant(key)


def test_nobody_reaches_what_is_not_theirs(door: RunningDoor, key: str, client: SignedClient) -> None:
    other = f"{key}2"
    with SignedClient(door.url, door.grant(other)) as owner:
        assert owner("PUT", other, body=b"theirs").status_code == 200
    outside = {"list-type": "2"}
    answers = [
        client("GET", other),
        client("HEAD", other),
        client("PUT", other, body=b"mine"),
        client("DELETE", other),
        client("POST", other, query={"uploads": ""}),
        client("GET", key, bucket="media"),
        client("GET", query=outside),
        client("GET", query={**outside, "prefix": other}),
        client("GET", query={**outside, "prefix": key[:5]}),
        client("POST", query={"delete": ""}, body=f"<Delete><Object><Key>{other}</Key></Object></Delete>".encode()),
        client("GET", f"{key[:-1]}"),
        httpx.get(f"{door.url}/zarr/{other}"),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert {code(answer)[1] for answer in answers if answer.request.method != "HEAD"} == {"AccessDenied"}
    mixed = f"<Delete><Object><Key>{other}</Key></Object><Object><Key>{key}/a</Key></Object></Delete>"
    answer = client("POST", query={"delete": ""}, body=mixed.encode())
    assert f"<Deleted><Key>{key}/a</Key></Deleted><Error><Key>{other}</Key><Code>AccessDenied" in answer.text
    assert client("GET", query={**outside, "prefix": key}).text.count("<Contents>") == 0, "a longer key shows"
    with SignedClient(door.url, door.grant(other)) as owner:
        assert owner("GET", other).content == b"theirs"


def test_who_may_read_may_not_write(door: RunningDoor, key: str, client: SignedClient) -> None:
    client("PUT", key, body=b"1")
    with SignedClient(door.url, door.grant(key, write=False)) as reader:
        assert reader("GET", key).content == b"1"
        answers = [
            reader("PUT", key, body=b"2"),
            reader("DELETE", key),
            reader("POST", key, query={"uploads": ""}),
            reader("PUT", key, query={"partNumber": "1", "uploadId": "0" * 32}, body=b"2"),
            reader("POST", query={"delete": ""}, body=f"<Delete><Object><Key>{key}</Key></Object></Delete>".encode()),
        ]
    assert {code(answer) for answer in answers} == {(403, "AccessDenied")}
    assert client("GET", key).content == b"1"


def test_an_upload_belongs_to_its_key(key: str, client: SignedClient) -> None:
    upload = client("POST", f"{key}/a", query={"uploads": ""}).text.partition("<UploadId>")[2].partition("<")[0]
    for upload_id in (upload, "0" * 32, "../" + upload, ""):
        answer = client("PUT", f"{key}/b", query={"partNumber": "1", "uploadId": upload_id}, body=b"1")
        assert code(answer) == (404, "NoSuchUpload")


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "a//b", "a/", "a/./b", "a\x00b", "a\x7fb", "x" * 300, "ä" * 400], ids=ascii
)
def test_hostile_keys_are_refused_and_touch_no_file(
    door: RunningDoor, key: str, client: SignedClient, name: str
) -> None:
    before = door.files()
    # Dots encoded, which is signed like dots: else the client itself would take the segments out.
    sent = Wrong(path=f"/zarr/{key}/{quote(name).replace('.', '%2e')}")
    for method, body in (("PUT", b"1"), ("GET", b""), ("DELETE", b"")):
        assert client(method, f"{key}/{name}", body=body, wrong=sent).status_code == 400
    assert door.files() == before


def test_a_path_that_is_no_text_is_refused(key: str, client: SignedClient) -> None:
    assert 400 <= client("GET", key, wrong=Wrong(path=f"/zarr/{key}/%ff")).status_code < 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Delete>",
        b"<Delete></Delete>",
        b"<Other><Object><Key>k</Key></Object></Other>",
        b"<Delete><Object></Object></Delete>",
        b'<!DOCTYPE d [<!ENTITY e "x">]><Delete><Object><Key>&e;</Key></Object></Delete>',
        b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>",
        b'<?xml version="1.0" encoding="nonsense"?><Delete><Object><Key>k</Key></Object></Delete>',
        b"\xff\xfe\x00",
    ],
    ids=lambda body: ascii(body[:20]),
)
def test_documents_that_are_none_are_refused(key: str, client: SignedClient, body: bytes) -> None:
    assert code(client("POST", query={"delete": ""}, body=body)) == (400, "MalformedXML")
    upload = client("POST", key, query={"uploads": ""}).text.partition("<UploadId>")[2].partition("<")[0]
    assert code(client("POST", key, query={"uploadId": upload}, body=body)) == (400, "MalformedXML")


def test_what_is_not_spoken_is_said_to_be_so(key: str, client: SignedClient) -> None:
    answers = [
        client("PUT", key, body=b"1", wrong=Wrong(payload="STREAMING-AWS4-HMAC-SHA256-PAYLOAD")),
        client("PUT", key, headers={"x-amz-copy-source": f"/zarr/{key}"}),
        client("GET", key, query={"acl": ""}),
        client("GET", query={"prefix": key}),
        client("PATCH", key),
    ]
    assert {code(answer) for answer in answers} == {(501, "NotImplemented")}
    assert code(client("GET", query={"list-type": "2", "prefix": key, "max-keys": "x"})) == (400, "InvalidArgument")
    assert code(client("GET", query={"list-type": "2", "prefix": key, "continuation-token": "ä"}))[0] == 400


def test_an_object_over_the_limit_is_refused(door: RunningDoor, key: str, client: SignedClient) -> None:
    assert code(client("PUT", key, body=b"p" * (4 * MIB + 1))) == (400, "EntityTooLarge")
    upload = client("POST", key, query={"uploads": ""}).text.partition("<UploadId>")[2].partition("<")[0]
    items = ""
    for number in ("1", "2", "3"):
        tag = client("PUT", key, query={"partNumber": number, "uploadId": upload}, body=LARGE).headers["etag"]
        items += f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
    body = f"<CompleteMultipartUpload>{items}</CompleteMultipartUpload>".encode()
    assert code(client("POST", key, query={"uploadId": upload}, body=body)) == (400, "EntityTooLarge")
    assert client("GET", key).status_code == 404
    client("DELETE", key, query={"uploadId": upload})


def test_a_full_disk_is_one_clear_error_and_the_server_lives_on(tmp_path: Path, key: str) -> None:
    with serve_door(tmp_path, max_file_bytes=MIB) as served, SignedClient(served.url, served.grant(key)) as client:
        for body in (LARGE, b"p" * (6 * MIB)):
            answer = client("PUT", f"{key}/large", body=body)
            assert code(answer) == (507, "InsufficientStorage")
        assert client("PUT", f"{key}/small", body=b"fits").status_code == 200
        assert client("GET", f"{key}/small").content == b"fits"
        assert client("GET", f"{key}/large").status_code == 404
        assert served.files() == [f"zarr/{key}/small"]
        upload = client("POST", key, query={"uploads": ""}).text.partition("<UploadId>")[2].partition("<")[0]
        items = ""
        for number in ("1", "2"):
            tag = client("PUT", key, query={"partNumber": number, "uploadId": upload}, body=b"p" * MIB).headers["etag"]
            items += f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
        body = f"<CompleteMultipartUpload>{items}</CompleteMultipartUpload>".encode()
        assert code(client("POST", key, query={"uploadId": upload}, body=body)) == (507, "InsufficientStorage")
        assert client("GET", key).status_code == 404
        assert not [path for path in served.files() if path.startswith(".temporary")]
