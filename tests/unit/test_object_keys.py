"""Keys and paths, grants and pages: what can be said of them without a server."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_arkitekt.errors import ConfigError
from jupyter_arkitekt.server.objects import Grants, Storage
from jupyter_arkitekt.server.objects._conditions import byte_range, check_reading
from jupyter_arkitekt.server.objects._errors import S3Error
from jupyter_arkitekt.server.objects._keys import MAX_KEY_BYTES, decode, encode, names
from jupyter_arkitekt.server.objects._listing import decode_token, list_page
from jupyter_arkitekt.server.objects._tree import Entry
from jupyter_arkitekt.server.objects._uploads import ORPHAN_SECONDS, Uploads

ALPHABET = [*"abz09-_.AZ %+/\\:*~'\"<>&", "ä", "é", "é", "日", "😀", "con"]


def some_keys(count: int, seed: int) -> set[str]:
    chance = random.Random(seed)
    segments = ["".join(chance.choices(ALPHABET, k=chance.randint(1, 5))).replace("/", "") for _ in range(30)]
    keys: set[str] = set()
    while len(keys) < count:
        parts = [part for part in chance.choices(segments, k=chance.randint(1, 4)) if part not in {"", ".", ".."}]
        if parts:
            keys.add("/".join(parts))
    return keys


def test_every_segment_has_a_name_of_its_own_and_comes_back() -> None:
    segments = {segment for key in some_keys(600, seed=1) for segment in key.split("/")} | {
        "...",
        "a.",
        ".a",
        "%41",
        "A",
    }
    by_name = {encode(segment).lower(): segment for segment in segments}
    assert len(by_name) == len(segments), "two segments meet on a file system that folds case"
    for name, segment in by_name.items():
        assert decode(name) == segment
        assert "/" not in name
        assert name.isascii()
        assert not name.endswith(".")


def test_names_that_no_segment_has_are_not_read_as_keys() -> None:
    assert [decode(name) for name in ("A", "%41%", "%4", "%61", "a.", "%2E", "", "%ff")] == [None] * 8


@pytest.mark.parametrize(
    "key",
    ["", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/.", "a\0b", "a\nb", "a\x7f", "a\ud800", "a\uffff"],
    ids=ascii,
)
def test_keys_that_are_read_in_several_ways_are_refused(key: str) -> None:
    with pytest.raises(S3Error) as refused:
        names(key)
    assert refused.value.status == 400


def test_long_keys_are_refused_and_those_at_the_limit_are_kept(tmp_path: Path) -> None:
    storage = Storage.open(tmp_path)
    longest = "/".join(["k" * 254] * 4)[:MAX_KEY_BYTES]
    storage.put("zarr", longest, b"1")
    assert storage.read("zarr", longest) == b"1"
    for key in ("k" * 255, "ä" * 100, "/".join(["k"] * 600)):
        with pytest.raises(S3Error, match="KeyTooLongError"):
            storage.put("zarr", key, b"")


def test_a_storage_is_a_dictionary_whose_keys_are_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    """Objects whose keys are prefixes of each other's live together, whatever came first and whatever was deleted."""
    storage = Storage.open(tmp_path)
    model: dict[str, bytes] = {}
    chance = random.Random(2)
    keys = sorted(some_keys(60, seed=3) | {"a", "a/b", "a/b/c", "a-b", "a0", "A", "A/b", "a/B"})
    for step in range(1500):
        key = chance.choice(keys)
        if chance.random() < 0.6:
            model[key] = str(step).encode()
            storage.put("zarr", key, model[key])
        elif chance.random() < 0.05:
            storage.delete_prefix("zarr", key)
            model = {k: v for k, v in model.items() if k != key and not k.startswith(f"{key}/")}
        else:
            storage.delete("zarr", key)
            model.pop(key, None)
        assert storage.read("zarr", key) == model.get(key)
    assert {key: storage.read("zarr", key) for key in keys if storage.exists("zarr", key)} == model
    ordered = sorted(model, key=str.encode)
    assert [found.key for found in storage.list("zarr")] == ordered
    for prefix in ("a", "a/", "a/b", "A/", "nothing", ordered[5][:2]):
        assert [found.key for found in storage.list("zarr", prefix)] == [k for k in ordered if k.startswith(prefix)]
    for key in keys:
        storage.delete("zarr", key)
    assert list(storage.list("zarr")) == []
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


def all_pages(storage: Storage, prefix: str, delimiter: str, limit: int) -> list[str]:
    def walk(start: bytes) -> Iterator[Entry]:
        return storage.list("zarr", prefix, start)

    got: list[str] = []
    after: str | None = ""
    while after is not None:
        page = list_page(walk, prefix, delimiter, decode_token(after), limit)
        assert len(page) <= limit
        got += [found.key for found in page.entries] + page.prefixes
        after = page.after
    return got


def test_pages_put_together_are_the_whole_listing(tmp_path: Path) -> None:
    storage = Storage.open(tmp_path)
    keys = sorted(some_keys(120, seed=4), key=str.encode)
    for key in keys:
        storage.put("zarr", key, b"")
    for prefix, delimiter, limit in [("", "/", 3), ("", "", 7), ("a", "/", 1), ("", "z", 2), (keys[9][:1], "-", 5)]:
        got = all_pages(storage, prefix, delimiter, limit)
        wanted = set()
        for key in keys:
            if key.startswith(prefix):
                head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key[len(prefix) :], "", "")
                wanted.add(prefix + head + found)
        assert len(got) == len(set(got))
        assert set(got) == wanted


def test_an_array_in_the_folder_is_where_its_key_says(tmp_path: Path) -> None:
    Storage.open(tmp_path).put("zarr", "0123abcd/c/0/1", b"chunk")
    assert (tmp_path / "objects/zarr/0123abcd/c/0/1").read_bytes() == b"chunk"


def test_what_a_crash_left_is_swept_and_no_object(tmp_path: Path) -> None:
    storage = Storage.open(tmp_path)
    writer = storage.writer()
    writer.write([b"half of "])
    writer.finish()
    assert list(storage.list("zarr")) == []
    Storage.open(tmp_path)
    assert not Path(writer.path).exists()


def test_ranges_and_conditions_follow_the_rfc() -> None:
    entry = Entry("k", 10, 1_700_000_000_500_000_000, "tag")
    ranges = {"bytes=0-3": (0, 4), "bytes=4-": (4, 6), "bytes=-4": (6, 4), "bytes=8-99": (8, 2), "bytes=-99": (0, 10)}
    assert {text: byte_range({b"range": text.encode()}, entry) for text in ranges} == ranges
    for whole in (b"bytes=5-2", b"bytes=-", b"lines=1-2", b"bytes=0-1,4-5", b"bytes=x-"):
        assert byte_range({b"range": whole}, entry) is None
    for outside in (b"bytes=10-", b"bytes=10-12", b"bytes=-0"):
        with pytest.raises(S3Error) as refused:
            byte_range({b"range": outside}, entry)
        assert refused.value.status == 416
    assert byte_range({b"range": b"bytes=0-3", b"if-range": b'"other"'}, entry) is None
    assert byte_range({b"range": b"bytes=0-3", b"if-range": b'"tag"'}, entry) == (0, 4)

    same, before = b"Tue, 14 Nov 2023 22:13:20 GMT", b"Tue, 14 Nov 2023 22:13:19 GMT"
    assert not check_reading({b"if-none-match": b'W/"x", "tag"'}, entry)
    assert check_reading({b"if-none-match": b'"x"', b"if-modified-since": same}, entry)
    assert not check_reading({b"if-modified-since": same}, entry)
    assert check_reading({b"if-modified-since": before}, entry)
    assert check_reading({b"if-match": b"*", b"if-unmodified-since": before}, entry)
    for headers in ({b"if-match": b'"x"'}, {b"if-unmodified-since": before}):
        with pytest.raises(S3Error, match="PreconditionFailed"):
            check_reading(headers, entry)


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_uploads_that_nobody_adds_to_are_swept_and_others_are_kept(tmp_path: Path) -> None:
    storage, clock = Storage.open(tmp_path), Clock(time.time())
    uploads = Uploads(storage, clock=clock)
    orphan = uploads.create("zarr", "a")
    clock.now += ORPHAN_SECONDS - 60
    kept = uploads.create("zarr", "b")
    os.utime(storage.uploads / kept, (clock.now, clock.now))
    clock.now += 3600
    uploads.create("zarr", "c")
    assert uploads.check(kept, "zarr", "b").is_dir()
    with pytest.raises(S3Error, match="NoSuchUpload"):
        uploads.check(orphan, "zarr", "a")


def test_a_grant_is_good_until_it_ends_and_for_nobody_else() -> None:
    clock = Clock(1_000_000.0)
    grants = Grants(b"s" * 32, clock=clock)
    grant, other = (grants.issue("zarr", key, write=False, seconds=60) for key in ("ä/b", "other"))
    holder = grants.holder(grant.access_key, grant.session_token)
    assert (holder.bucket, holder.prefix, holder.write, holder.secret_key) == ("zarr", "ä/b", False, grant.secret_key)
    assert [holder.covers(key) for key in ("ä/b", "ä/b/c", "ä/bc", "ä", "", "other")] == [True, True] + [False] * 4
    assert (grant.path, grant.expires_in) == ("s3://zarr/ä/b", 60)

    for access_key, token in [
        (other.access_key, grant.session_token),
        (grant.access_key, ""),
        (grant.access_key, grant.session_token[:-1]),
        (grant.access_key, "x" + grant.session_token),
        (grant.access_key, "ä"),
        (grant.access_key, other.session_token.split(".")[0] + "." + grant.session_token.split(".")[1]),
    ]:
        with pytest.raises(S3Error, match="InvalidAccessKeyId"):
            grants.holder(access_key, token)
    with pytest.raises(S3Error, match="InvalidAccessKeyId"):
        Grants(b"t" * 32, clock=clock).holder(grant.access_key, grant.session_token)
    clock.now += 60
    with pytest.raises(S3Error, match="ExpiredToken"):
        grants.holder(grant.access_key, grant.session_token)


def test_a_grant_shows_no_secret() -> None:
    grant = Grants(b"s" * 32).issue("zarr", "key", write=True)
    assert grant.secret_key not in repr(grant)
    assert grant.session_token not in repr(grant)


def test_the_secret_is_the_owners_alone_and_stays(tmp_path: Path) -> None:
    grant = Grants.open(tmp_path).issue("zarr", "key", write=True)
    assert Grants.open(tmp_path).holder(grant.access_key, grant.session_token).secret_key == grant.secret_key
    (secret,) = tmp_path.iterdir()
    assert secret.stat().st_mode & 0o777 == 0o600
    secret.chmod(0o640)
    with pytest.raises(ConfigError, match="can be read by others"):
        Grants.open(tmp_path)
    secret.chmod(0o600)
    secret.write_bytes(b"short")
    with pytest.raises(ConfigError, match="damaged"):
        Grants.open(tmp_path)
