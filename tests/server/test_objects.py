"""The S3 door as its clients see it: obstore and zarr, unmodified, against a server in a process of its own."""

from __future__ import annotations

import hashlib
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import obstore
import pytest
import zarr
from obstore.exceptions import AlreadyExistsError, NotModifiedError, PreconditionError
from obstore.store import S3Store
from zarr.storage import ObjectStore

from jupyter_arkitekt.server.objects import Grant, Grants
from jupyter_arkitekt.testing import Served, wait_for
from jupyter_arkitekt.testing._door import RunningDoor, serve_door
from jupyter_arkitekt.testing._s3 import SignedClient

MIB = 1024 * 1024


@pytest.fixture
def door(platform: Served) -> RunningDoor:
    return RunningDoor(platform.url, platform.data_dir)


def store(door: RunningDoor, grant: Grant, prefix: str | None = None, **more: Any) -> S3Store:
    return S3Store(
        grant.bucket,
        prefix=prefix,
        endpoint=door.url,
        access_key_id=grant.access_key,
        secret_access_key=grant.secret_key,
        session_token=grant.session_token,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
        **more,
    )


@pytest.fixture
def key() -> str:
    return uuid4().hex


def tag(put: obstore.PutResult) -> str:
    assert put["e_tag"] is not None
    return put["e_tag"]


def noise(size: int) -> bytes:
    return os.urandom(size)


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 256 * 1024 + 1, 3 * MIB + 17], ids=lambda size: f"{size} bytes")
def test_what_is_put_is_got(door: RunningDoor, key: str, size: int) -> None:
    objects, data = store(door, door.grant(key)), noise(size)
    put = obstore.put(objects, f"{key}/data", data, use_multipart=False)
    got = obstore.get(objects, f"{key}/data")
    assert bytes(got.bytes()) == data
    assert got.meta["size"] == size
    assert got.meta["e_tag"] == put["e_tag"]
    assert (door.data_dir / f"objects/zarr/{key}/data").read_bytes() == data


def test_a_large_object_goes_up_in_parts_and_comes_back_whole(door: RunningDoor, key: str) -> None:
    objects, data = store(door, door.grant(key, bucket="bigfile")), noise(23 * MIB + 5)
    before = set(door.files())
    put = obstore.put(objects, key, data, chunk_size=5 * MIB, max_concurrency=4)
    got = obstore.get(objects, key)
    assert hashlib.sha256(got.bytes()).digest() == hashlib.sha256(data).digest()
    assert got.meta["e_tag"] == put["e_tag"]
    left = set(door.files()) - before
    assert not [path for path in left if path.startswith((".temporary", ".uploads")) and "json" not in path]


def test_ranges(door: RunningDoor, key: str) -> None:
    objects, data = store(door, door.grant(key)), noise(MIB)
    obstore.put(objects, key, data)
    for start, end in [(0, 1), (5, 5 + 600_000), (MIB - 1, MIB)]:
        assert bytes(obstore.get_range(objects, key, start=start, end=end)) == data[start:end]
    tail = obstore.get(objects, key, options={"range": {"suffix": 7}})
    assert bytes(tail.bytes()) == data[-7:]
    assert tail.range == (MIB - 7, MIB)
    with SignedClient(door.url, door.grant(key, write=False)) as client:
        answer = client("GET", key, headers={"range": f"bytes={MIB}-"})
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{MIB}")


def test_conditions(door: RunningDoor, key: str) -> None:
    objects = store(door, door.grant(key))
    first = obstore.put(objects, key, b"1", mode="create")
    with pytest.raises(AlreadyExistsError):
        obstore.put(objects, key, b"2", mode="create")
    second = obstore.put(objects, key, b"3", mode={"e_tag": tag(first)})
    assert second["e_tag"] != first["e_tag"]
    with pytest.raises(PreconditionError):
        obstore.put(objects, key, b"4", mode={"e_tag": tag(first)})
    with pytest.raises(NotModifiedError):
        obstore.get(objects, key, options={"if_none_match": tag(second)})
    with pytest.raises(PreconditionError):
        obstore.get(objects, key, options={"if_match": tag(first)})
    assert bytes(obstore.get(objects, key).bytes()) == b"3"


def test_of_many_who_create_an_object_at_once_one_does(door: RunningDoor, key: str) -> None:
    objects = store(door, door.grant(key))

    def create(number: int) -> int | None:
        try:
            obstore.put(objects, key, bytes([number]) * 300_000, mode="create")
        except AlreadyExistsError:
            return None
        return number

    with ThreadPoolExecutor(8) as threads:
        winners = [number for number in threads.map(create, range(8)) if number is not None]
    assert len(winners) == 1
    assert bytes(obstore.get(objects, key).bytes()) == bytes(winners) * 300_000


def test_listing_in_pages_and_by_folder(door: RunningDoor, key: str) -> None:
    objects = store(door, door.grant(key))
    names = sorted(f"{key}/{name}" for name in ["a", "a/b", "a b", "a+b", "a&b<c>", "ä/ö", "B", *map(str, range(1100))])
    for name in names:
        obstore.put(objects, name, b"12")
    listed = [item for page in obstore.list(objects, f"{key}/") for item in page]
    assert sorted(item["path"] for item in listed) == names
    assert {item["size"] for item in listed} == {2}
    folders = obstore.list_with_delimiter(objects, f"{key}/")
    assert sorted(folders["common_prefixes"]) == [f"{key}/a", f"{key}/ä"]
    assert len(folders["objects"]) == len(names) - 2

    with SignedClient(door.url, door.grant(key, write=False)) as client:
        query = {
            "list-type": "2",
            "prefix": f"{key}/",
            "max-keys": "2",
            "start-after": f"{key}/a",
            "encoding-type": "url",
        }
        page = client("GET", query=query).text
    assert f"<Key>{key}/a%20b</Key>" in page
    assert f"<Key>{key}/a%26b%3Cc%3E</Key>" in page
    assert "<KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>" in page


def test_deleting_one_and_many(door: RunningDoor, key: str) -> None:
    objects = store(door, door.grant(key))
    for name in "abc":
        obstore.put(objects, f"{key}/{name}", b"1")
    obstore.delete(objects, [f"{key}/a", f"{key}/not there", f"{key}/b"])
    with SignedClient(door.url, door.grant(key)) as client:
        assert client("DELETE", f"{key}/c").status_code == 204
        assert client("DELETE", f"{key}/c").status_code == 204
        assert client("GET", f"{key}/c").status_code == 404
    assert not (door.data_dir / f"objects/zarr/{key}").exists(), "empty folders are left"


def test_zarr_writes_and_reads_an_array_as_it_does_on_s3(door: RunningDoor, key: str) -> None:
    """Fill values are not written, an overwrite deletes first, and the group at the root is shared by all."""
    pixels = np.random.default_rng(0).integers(0, 4096, (2, 1, 3, 64, 64), dtype=np.uint16)
    pixels[1] = 0
    root = ObjectStore(store(door, door.grant(key)))
    for _ in range(2):
        array = zarr.create_array(
            root, name=key, shape=pixels.shape, chunks=(1, 1, 1, 64, 64), dtype="uint16", overwrite=True
        )
        array[:] = pixels
    reader = ObjectStore(store(door, door.grant(key, write=False)), read_only=True)
    assert np.array_equal(zarr.open_array(reader, path=key, mode="r")[:], pixels)
    assert np.array_equal(zarr.open_array(door.data_dir / f"objects/zarr/{key}", mode="r")[:], pixels)

    level = ObjectStore(store(door, door.grant(key), prefix=f"{key}/pyramid/1"))
    zarr.create_array(level, data=pixels[..., ::2, ::2], chunks=(1, 1, 1, 32, 32))
    below = ObjectStore(store(door, door.grant(key, write=False), prefix=f"{key}/pyramid/1"), read_only=True)
    assert np.array_equal(zarr.open_array(below, mode="r")[:], pixels[..., ::2, ::2])


def test_the_document_at_the_root_of_the_arrays_stays_as_it_is(door: RunningDoor, key: str) -> None:
    with SignedClient(door.url, door.grant(key)) as client:
        before = client("GET", "zarr.json")
        assert before.json() == {"attributes": {}, "zarr_format": 3, "node_type": "group"}
        assert client("PUT", "zarr.json", body=b"{}", headers={"if-none-match": "*"}).status_code == 412
        written = client("PUT", "zarr.json", body=b'{"node_type": "array"}')
        assert (written.status_code, written.headers["etag"]) == (200, before.headers["etag"])
        assert client("DELETE", "zarr.json").status_code == 403
        assert client("POST", "zarr.json", query={"uploads": ""}).status_code == 403
        assert client("GET", "zarr.json").content == before.content
    with SignedClient(door.url, door.grant(key, write=False)) as reader:
        assert reader("GET", "zarr.json").status_code == 200
        assert reader("PUT", "zarr.json", body=b"{}").status_code == 403


def test_parts_are_checked_when_they_are_put_together(door: RunningDoor, key: str) -> None:
    def document(*parts: tuple[int, str]) -> bytes:
        items = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>" for number, tag in parts)
        return f"<CompleteMultipartUpload>{items}</CompleteMultipartUpload>".encode()

    with SignedClient(door.url, door.grant(key)) as client:
        upload = client("POST", key, query={"uploads": ""}).text.partition("<UploadId>")[2].partition("<")[0]

        def part(number: str, body: bytes) -> httpx.Response:
            return client("PUT", key, query={"partNumber": number, "uploadId": upload}, body=body)

        def complete(*parts: tuple[int, str]) -> httpx.Response:
            return client("POST", key, query={"uploadId": upload}, body=document(*parts))

        tags = {number: part(str(number), body).headers["etag"] for number, body in ((3, b"c"), (1, b"a"), (2, b"x"))}
        replaced, tags[2] = tags[2], part("2", b"b").headers["etag"]
        assert [part(number, b"").status_code for number in ("0", "10001", "x", "")] == [400] * 4
        assert client("GET", key).status_code == 404

        for wrong in [
            [(1, tags[1]), (2, replaced)],
            [(2, tags[2]), (1, tags[1])],
            [(1, tags[1]), (1, tags[1])],
            [(1, tags[1]), (4, tags[1])],
            [],
        ]:
            assert complete(*wrong).status_code == 400
        done = complete(*tags_in_order(tags))
        assert done.status_code == 200
        assert complete(*tags_in_order(tags)).text == done.text, "a client that lost the answer asks again"
        assert complete((1, tags[1])).status_code == 404
        assert part("4", b"").status_code == 404
        assert client("GET", key).content == b"abc"
        assert client("DELETE", key, query={"uploadId": upload}).status_code == 204
        assert complete(*tags_in_order(tags)).status_code == 404
        assert client("GET", key).content == b"abc"


def tags_in_order(tags: dict[int, str]) -> list[tuple[int, str]]:
    return sorted(tags.items())


def test_a_signed_address_reads_one_object_without_credentials(door: RunningDoor, key: str) -> None:
    grants = Grants.open(door.data_dir)
    grant = grants.issue("media", key, write=True)
    with SignedClient(door.url, grant) as client:
        client("PUT", key, body=b"<script>")
    address = grants.presign(grant, host=httpx.URL(door.url).netloc.decode(), seconds=60)
    got = httpx.get(door.url + address)
    assert (got.status_code, got.content) == (200, b"<script>")
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-type-options"] == "nosniff"
    for changed in (
        address.replace(key, f"{key}/x"),
        address[:-1] + ("0" if address[-1] != "0" else "1"),
        f"/media/{key}",
    ):
        assert httpx.get(door.url + changed).status_code == 403
    assert httpx.put(door.url + address, content=b"x").status_code == 403


def test_grants_objects_and_uploads_survive_a_kill(tmp_path: Path, key: str) -> None:
    with serve_door(tmp_path) as first:
        grant = first.grant(key)
        with SignedClient(first.url, grant) as client:
            client("PUT", f"{key}/a", body=b"stays")
            upload = client("POST", key, query={"uploads": ""}).text.partition("<UploadId>")[2].partition("<")[0]
            tag = client("PUT", key, query={"partNumber": "1", "uploadId": upload}, body=b"part").headers["etag"]
    (tmp_path / "objects/.temporary/half").write_bytes(b"half")
    with serve_door(tmp_path) as second, SignedClient(second.url, grant) as client:
        assert client("GET", f"{key}/a").content == b"stays"
        body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
        assert client("POST", key, query={"uploadId": upload}, body=body.encode()).status_code == 200
        assert client("GET", key).content == b"part"
        assert ".temporary/half" not in second.files()


def test_a_client_that_goes_away_leaves_nothing(door: RunningDoor, key: str) -> None:
    """Neither in the middle of its upload nor in the middle of a large answer."""
    with SignedClient(door.url, door.grant(key)) as client:
        client("PUT", key, body=noise(8 * MIB))
        upload = client.raw_head("PUT", f"{key}/gone", body=noise(2 * MIB)) + noise(MIB)
        download = client.raw_head("GET", key)
    url = httpx.URL(door.url)
    for request in (upload, download):
        with socket.create_connection((url.host, url.port or 80), timeout=30) as connection:
            connection.sendall(request)
    wait_for(
        lambda: not any(name.startswith(".temporary") for name in door.files()), 30, "the half upload to be removed"
    )
    assert [name for name in door.files() if key in name] == [f"zarr/{key}"]


def test_the_question_whether_it_lives_is_answered_to_everybody(door: RunningDoor) -> None:
    assert httpx.get(f"{door.url}/minio/health/live").status_code == 200
