"""A folder of files seen as a set of keys in order.

S3 orders keys by their bytes, and so does a walk here: in each folder the names are sorted as if a folder's name ended with
the slash that follows it in a key. Whole folders that lie before the start or outside the prefix are never opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ._errors import S3Error
from ._keys import decode, names


class Entry(NamedTuple):
    """What is known of an object without reading it.

    Attributes
    ----------
    key
        Its key.
    size
        Bytes.
    modified
        Nanoseconds since the epoch.
    etag
        Changes whenever the object is written; without quotes.
    """

    key: str
    size: int
    modified: int
    etag: str


def entry(key: str, info: os.stat_result) -> Entry:
    """Return what `info` says of the object `key`.

    The entity tag is made of the file's number, time and size. Nothing has to be stored beside the file, listing and
    reading agree on it, and a file that was changed or restored behind the server's back gets another one. The dash
    says that it is no MD5, which some S3 clients would check.
    """
    return Entry(key, info.st_size, info.st_mtime_ns, f"{info.st_ino:x}-{info.st_mtime_ns:x}-{info.st_size:x}")


class Tree:
    """Files below one folder.

    Parameters
    ----------
    root
        The folder; it need not exist.
    mark
        What the names of folders end with, so that in a marked tree an object may be called as a folder is.
    """

    def __init__(self, root: Path, mark: str = "") -> None:
        self.root = str(root)
        self._mark = mark

    def path(self, key: str) -> str:
        """Return the file of the object `key`, there or not."""
        return f"{self.root}/{f'{self._mark}/'.join(names(key))}"

    def folder(self, key: str) -> str:
        """Return the folder of everything below ``key/``, there or not."""
        return self.path(key) + self._mark

    def walk(self, prefix: bytes = b"", start: bytes = b"") -> Iterator[Entry]:
        """Yield the objects whose key begins with `prefix` and is not before `start`, in the order of their keys.

        Parameters
        ----------
        prefix, start
            UTF-8; they need not be whole keys.
        """
        folder, slash, _ = prefix.rpartition(b"/")
        try:
            root = self.folder(folder.decode()) if slash else self.root
        except (S3Error, UnicodeDecodeError):
            return  # nothing can be stored below what is no key
        yield from self._walk(root, folder + slash, prefix, max(prefix, start))

    def _walk(self, folder: str, above: bytes, prefix: bytes, start: bytes) -> Iterator[Entry]:
        for order, path, is_folder in self._scan(folder):
            name = above + order
            if is_folder:
                inside = name.startswith(prefix) or prefix.startswith(name)
                if inside and (name >= start or start.startswith(name)):
                    yield from self._walk(path, name, prefix, start)
            elif name >= start and name.startswith(prefix):
                try:
                    info = os.stat(path, follow_symlinks=False)
                except FileNotFoundError:
                    continue  # deleted since the folder was read
                yield entry(name.decode(), info)

    def _scan(self, folder: str) -> list[tuple[bytes, str, bool]]:
        """Return what is in `folder`: its part of the key (with a slash for folders), its path, and whether it is a folder."""
        found: list[tuple[bytes, str, bool]] = []
        try:
            with os.scandir(folder) as items:
                for item in items:
                    is_folder = item.is_dir(follow_symlinks=False)
                    if not is_folder and not item.is_file(follow_symlinks=False):
                        continue
                    name = item.name
                    if is_folder and self._mark:
                        name = name[: -len(self._mark)] if name.endswith(self._mark) else ""
                    segment = decode(name)
                    if segment is not None:  # else a file that somebody put here by hand
                        found.append((f"{segment}/".encode() if is_folder else segment.encode(), item.path, is_folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        found.sort()
        return found
