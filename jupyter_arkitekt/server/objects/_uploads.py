"""Multipart uploads: parts that come in any order and become one object when the client says so.

Each upload is a folder with a note of where the object goes and one file per part, named by its number and its SHA-256, which
is also its entity tag. So an upload survives a restart of the server in the middle. When it is complete, the note of the
result stays for a while: joining a large object may outlast the patience of a client, which then asks again, and gets the
same answer. https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from ._errors import S3Error, invalid, no_such_upload
from ._tree import Entry
from ._writer import Writer
from .storage import Storage

MAX_PARTS = 10_000
#: Seconds after which an upload that nobody adds to is swept.
ORPHAN_SECONDS = 24 * 3600
_SWEEP_SECONDS = 3600

_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
_PART = re.compile(r"(\d{5})-([0-9a-f]{64})")
_NOTE = "upload.json"
_RESULT = "result.json"

#: File systems and kernels that cannot copy by themselves say so in these ways.
_CANNOT_COPY = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.EPERM})


class Part(NamedTuple):
    """A part that an object is made of.

    Attributes
    ----------
    number
        From 1 to 10,000.
    etag
        SHA-256 of its bytes, in hex.
    """

    number: int
    etag: str


class Uploads:
    """The multipart uploads of a storage. Its methods block for a disk's time and may be called from any thread.

    Parameters
    ----------
    storage
        Where the objects go.
    clock
        Returns seconds since the epoch.
    """

    def __init__(self, storage: Storage, *, clock: Callable[[], float] = time.time) -> None:
        self._storage = storage
        self._root = storage.uploads
        self._clock = clock
        self._locks: dict[str, tuple[Lock, int]] = {}
        self._lock = Lock()
        self._swept = 0.0

    def create(self, bucket: str, key: str) -> str:
        """Begin an upload and return its id."""
        self._sweep()
        upload_id = secrets.token_hex(16)
        # Written before the folder has its name, so that an upload that is there is whole.
        folder = self._root / f"{upload_id}.new"
        folder.mkdir(0o700)
        (folder / _NOTE).write_text(json.dumps([bucket, key]))
        folder.rename(self._root / upload_id)
        return upload_id

    def check(self, upload_id: str, bucket: str, key: str) -> Path:
        """Return the folder of an upload of this object.

        Raises
        ------
        S3Error
            404, if there is none.
        """
        if not _UPLOAD_ID.fullmatch(upload_id):
            raise no_such_upload()
        folder = self._root / upload_id
        try:
            note = json.loads((folder / _NOTE).read_text())
        except FileNotFoundError:
            raise no_such_upload() from None
        if note != [bucket, key]:
            raise no_such_upload()
        return folder

    def add(self, upload_id: str, bucket: str, key: str, number: int, writer: Writer) -> str:
        """Keep a part, in place of an earlier one with its number, and return its entity tag.

        Raises
        ------
        S3Error
            404, if there is no such upload, or it is complete.
        """
        part = f"{number:05d}-{writer.digest()}"
        with self._exclusive(upload_id):
            folder = self.check(upload_id, bucket, key)
            if (folder / _RESULT).exists():
                raise no_such_upload()
            writer.finish()
            os.replace(writer.path, folder / part)
            for other in folder.glob(f"{number:05d}-*"):
                if other.name != part:
                    other.unlink()
        return writer.digest()

    def complete(
        self,
        upload_id: str,
        bucket: str,
        key: str,
        parts: Sequence[Part],
        allow: Callable[[Entry | None], bool] | None = None,
    ) -> str:
        """Make the object of its parts and return its entity tag; asked again, return the same.

        Raises
        ------
        S3Error
            404, if there is no such upload; 400, if the parts are out of order, not there, or together too large;
            412, if `allow` says no (see `Storage.commit`).
        """
        wanted = [[number, etag] for number, etag in parts]
        with self._exclusive(upload_id):
            folder = self.check(upload_id, bucket, key)
            result = folder / _RESULT
            if result.exists():
                before, etag = json.loads(result.read_text())
                if before != wanted:
                    raise no_such_upload()
                return str(etag)
            files = _files(folder, parts)
            size = sum(file.stat().st_size for file in files)
            if size > self._storage.max_object_bytes:
                raise too_large(self._storage.max_object_bytes)
            writer = self._storage.writer()
            try:
                for file in files:
                    with file.open("rb", buffering=0) as source:
                        _append(source.fileno(), writer.descriptor)
                entry = self._storage.commit(writer, bucket, key, allow)
            finally:
                writer.discard()
            unfinished = folder / f"{_RESULT}.new"
            unfinished.write_text(json.dumps([wanted, entry.etag]))
            unfinished.rename(result)
            for file in _parts(folder):
                file.unlink()
        return entry.etag

    def abort(self, upload_id: str, bucket: str, key: str) -> None:
        """Forget an upload and its parts.

        Raises
        ------
        S3Error
            404, if there is no such upload.
        """
        with self._exclusive(upload_id):
            shutil.rmtree(self.check(upload_id, bucket, key))

    @contextmanager
    def _exclusive(self, upload_id: str) -> Iterator[None]:
        """Let one thread at a time change an upload."""
        with self._lock:
            lock, users = self._locks.get(upload_id, (Lock(), 0))
            self._locks[upload_id] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._locks.pop(upload_id)
                if users > 1:
                    self._locks[upload_id] = lock, users - 1

    def _sweep(self) -> None:
        """Remove uploads that nobody has added to for a day."""
        now = self._clock()
        if now - self._swept < _SWEEP_SECONDS:
            return
        self._swept = now
        for folder in self._root.iterdir():
            with self._exclusive(folder.name):
                if folder.exists() and now - folder.stat().st_mtime > ORPHAN_SECONDS:
                    shutil.rmtree(folder)


def too_large(limit: int) -> S3Error:
    """Return the 400 of an object that is larger than `limit` bytes."""
    return invalid(f"Objects of more than {limit} bytes are not stored here.", "EntityTooLarge")


def _parts(folder: Path) -> Iterator[Path]:
    return (file for file in folder.iterdir() if _PART.fullmatch(file.name))


def _files(folder: Path, parts: Sequence[Part]) -> list[Path]:
    """Return the files of `parts` after checking that they are an object."""
    if not parts:
        raise invalid("An object is made of one part at least.", "MalformedXML")
    numbers = [part.number for part in parts]
    if numbers != sorted(set(numbers)):
        raise invalid("The parts have to be listed in the order of their numbers, each once.", "InvalidPartOrder")
    there = {file.name: file for file in _parts(folder)}
    try:
        return [there[f"{number:05d}-{etag}"] for number, etag in parts]
    except KeyError as error:
        raise invalid("A part was not uploaded, or with another entity tag.", "InvalidPart") from error


def _append(source: int, target: int) -> None:
    """Copy a whole file to the end of another one, in the kernel where it can do that."""
    copy = getattr(os, "copy_file_range", None)
    while copy is not None:
        try:
            if not copy(source, target, 1 << 30):
                return
        except OSError as error:
            if error.errno not in _CANNOT_COPY:
                raise
            copy = None
    while piece := os.read(source, 1 << 20):
        view = memoryview(piece)
        while view:
            view = view[os.write(target, view) :]
