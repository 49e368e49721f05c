"""Objects as plain files in a local folder.

::

    objects/zarr/<key>/zarr.json      an object, at its key objects/.aside/zarr/a+/b          an object that cannot be
    there: where "a" is an object, "a/b" is kept aside, and the
                                      other way round; folders are marked in this tree, so that there both have room
    objects/.temporary/               files in the making, swept at every start
    objects/.uploads/                 parts of multipart uploads (see `_uploads`)

A file is written under a temporary name in the same file system and renamed into its place, so that a reader sees the
old object or the new one, and a crash leaves temporary files only. An array stays a folder that zarr opens without
this server.

One server owns the folder (the platform holds a lock on its data directory), so that a lock in the process is enough to make
conditional writes exact.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import Self

from jupyter_arkitekt.config import private_dir

from ._errors import invalid, precondition_failed
from ._tree import Entry, Tree, entry
from ._writer import Writer

#: The largest object of S3, https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
MAX_OBJECT_BYTES = 5 * 1024**4

_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

#: What the system says of a path that leads through a file, or ends at a folder.
_MISSING = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class Storage:
    """Buckets of objects below one folder. Its methods block for a disk's time and may be called from any thread.

    Parameters
    ----------
    root
        The folder, made if it is not there.
    max_object_bytes
        Larger objects are refused.
    """

    def __init__(self, root: Path, *, max_object_bytes: int = MAX_OBJECT_BYTES) -> None:
        self.root = private_dir(root)
        self.max_object_bytes = max_object_bytes
        self.uploads = private_dir(root / ".uploads")
        self._temporary = str(private_dir(root / ".temporary"))
        self._aside_root = root / ".aside"
        self._has_aside = self._aside_root.exists()
        self._trees: dict[str, tuple[Tree, Tree]] = {}
        self._lock = Lock()

    @classmethod
    def open(cls, data_dir: Path, *, max_object_bytes: int = MAX_OBJECT_BYTES) -> Self:
        """Open the storage of the platform in `data_dir` and sweep what a crash left.

        Raises
        ------
        ConfigError
            If its folder cannot be used.
        """
        private_dir(data_dir)
        storage = cls(data_dir / "objects", max_object_bytes=max_object_bytes)
        storage.sweep()
        return storage

    def sweep(self) -> None:
        """Remove temporary files. Only before the first write: files in the making would go as well."""
        with os.scandir(self._temporary) as items:
            for item in items:
                _remove(item.path)

    # reading

    def open_object(self, bucket: str, key: str) -> tuple[int, Entry] | None:
        """Open an object for reading.

        Returns
        -------
        tuple of int and Entry, or None
            A file descriptor that the caller closes; it goes on to show this object when another one is put in its
            place.
        """
        for path in self._places(bucket, key):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            except _MISSING:
                continue
            info = os.fstat(descriptor)
            if _is_file(info):
                return descriptor, entry(key, info)
            os.close(descriptor)
        return None

    def stat(self, bucket: str, key: str) -> Entry | None:
        """Return what is known of an object, ``None`` when it is not there."""
        for path in self._places(bucket, key):
            try:
                info = os.stat(path, follow_symlinks=False)
            except _MISSING:
                continue
            if _is_file(info):
                return entry(key, info)
        return None

    def exists(self, bucket: str, key: str) -> bool:
        """Tell whether there is an object."""
        return self.stat(bucket, key) is not None

    def size(self, bucket: str, key: str) -> int | None:
        """Return the bytes of an object, ``None`` when it is not there."""
        found = self.stat(bucket, key)
        return None if found is None else found.size

    def read(self, bucket: str, key: str) -> bytes | None:
        """Return a whole object, ``None`` when it is not there."""
        found = self.open_object(bucket, key)
        if found is None:
            return None
        with open(found[0], "rb") as file:
            return file.read()

    def list(self, bucket: str, prefix: str = "", start: bytes = b"") -> Iterator[Entry]:
        """Yield the objects whose key begins with `prefix`, in the order of the bytes of their keys.

        Parameters
        ----------
        bucket, prefix
            Where to look; `prefix` need not be a whole key.
        start
            UTF-8; keys before it are left out.
        """
        plain, aside = self._bucket(bucket)
        first = prefix.encode()
        if not self._has_aside:
            yield from plain.walk(first, start)
            return
        last = None
        for found in heapq.merge(
            plain.walk(first, start), aside.walk(first, start), key=lambda found: found.key.encode()
        ):
            if found.key != last:
                last = found.key
                yield found

    # writing

    def writer(self) -> Writer:
        """Return a new temporary file; `commit` puts it in its place, `Writer.discard` removes it."""
        return Writer(self._temporary)

    def commit(
        self, writer: Writer, bucket: str, key: str, allow: Callable[[Entry | None], bool] | None = None
    ) -> Entry:
        """Put a finished file in its place.

        Parameters
        ----------
        writer
            The file; it is closed.
        bucket, key
            Where it goes. An object that is there is replaced.
        allow
            Asked with what is there now, with no other write in between.

        Raises
        ------
        S3Error
            412, if `allow` says no.
        OSError
            If there is no room, or the disk fails.
        """
        plain, aside = self._bucket(bucket)
        path = plain.path(key)
        info = writer.finish()
        with self._lock:
            if allow is not None and not allow(self.stat(bucket, key)):
                raise precondition_failed()
            if _move(writer.path, path):
                self._remove_aside(bucket, key)
            else:
                self._has_aside = True
                if not _move(writer.path, aside.path(key)):
                    raise FileExistsError(aside.path(key))
        return entry(key, info)

    def put(self, bucket: str, key: str, data: bytes) -> Entry:
        """Store a whole object that is in memory."""
        writer = self.writer()
        try:
            writer.write([data])
            return self.commit(writer, bucket, key)
        finally:
            writer.discard()

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; nothing happens when it is not there."""
        plain, _ = self._bucket(bucket)
        path = plain.path(key)
        with self._lock:
            _unlink(path, plain.root)
            self._remove_aside(bucket, key)

    def delete_prefix(self, bucket: str, prefix: str) -> None:
        """Remove the object `prefix` and everything below ``prefix/``, which is out of sight at once."""
        doomed: list[str] = []
        self.delete(bucket, prefix)
        with self._lock:
            for tree in self._bucket(bucket):
                target = f"{self._temporary}/{secrets.token_hex(16)}"
                try:
                    os.rename(tree.folder(prefix), target)
                except _MISSING:
                    continue
                doomed.append(target)
        for path in doomed:
            _remove(path)

    # places

    def _bucket(self, bucket: str) -> tuple[Tree, Tree]:
        trees = self._trees.get(bucket)
        if trees is None:
            if not _BUCKET.fullmatch(bucket):
                raise invalid("This is no name of a bucket.", "InvalidBucketName")
            trees = Tree(self.root / bucket), Tree(self._aside_root / bucket, "+")
            self._trees[bucket] = trees
        return trees

    def _places(self, bucket: str, key: str) -> tuple[str, ...]:
        """Return where the object may be, in the order to look."""
        plain, aside = self._bucket(bucket)
        return (plain.path(key), aside.path(key)) if self._has_aside else (plain.path(key),)

    def _remove_aside(self, bucket: str, key: str) -> None:
        if self._has_aside:
            aside = self._bucket(bucket)[1]
            _unlink(aside.path(key), aside.root)


def _is_file(info: os.stat_result) -> bool:
    return stat.S_ISREG(info.st_mode)


def _move(source: str, target: str) -> bool:
    """Rename `source` to `target`, whose folders are made; ``False`` when a file or a folder is in the way."""
    try:
        os.replace(source, target)
    except FileNotFoundError:
        try:
            os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
            os.replace(source, target)
        except (FileExistsError, NotADirectoryError):
            return False
    except (IsADirectoryError, NotADirectoryError):
        return False
    return True


def _unlink(path: str, root: str) -> None:
    """Remove a file and the folders above it that are empty then, up to `root`."""
    try:
        os.unlink(path)
    except _MISSING:
        return
    except PermissionError:
        if os.path.isdir(path):  # what some systems say of a folder
            return
        raise
    folder = os.path.dirname(path)
    with contextlib.suppress(OSError):  # the first that is not empty ends it
        while len(folder) > len(root):
            os.rmdir(folder)
            folder = os.path.dirname(folder)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
