"""One file in the making: written and hashed piece by piece, and nowhere to be seen until it is put in its place."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from hashlib import sha256


class Writer:
    """A temporary file with the running SHA-256 of what was written to it.

    Not safe to use from two threads at once; which thread calls does not matter.

    Parameters
    ----------
    folder
        Where temporary files live, in the same file system as the objects.

    Attributes
    ----------
    path
        The file.
    size
        Bytes written so far.
    """

    def __init__(self, folder: str) -> None:
        self.path = f"{folder}/{secrets.token_hex(16)}"
        self.size = 0
        self._hash = sha256()
        self._descriptor: int | None = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    @property
    def descriptor(self) -> int:
        """The open file.

        Raises
        ------
        ValueError
            After it was closed.
        """
        if self._descriptor is None:
            raise ValueError("The file is closed.")
        return self._descriptor

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append `pieces`.

        Raises
        ------
        OSError
            If there is no room, or the disk fails.
        """
        for piece in pieces:
            self._hash.update(piece)
        views = [memoryview(piece) for piece in pieces if piece]
        while views:
            done = os.writev(self.descriptor, views)
            self.size += done
            while views and done >= len(views[0]):
                done -= len(views.pop(0))
            if done:
                views[0] = views[0][done:]

    def digest(self) -> str:
        """Return the SHA-256 of what was written, in hex."""
        return self._hash.hexdigest()

    def finish(self) -> os.stat_result:
        """Close the file and return its facts.

        Its time is set to the full resolution of the clock: the kernel's own is some milliseconds, in which an object may be
        written twice, and the entity tag is made of it.
        """
        now = time.time_ns()
        os.utime(self.descriptor, ns=(now, now))
        info = os.fstat(self.descriptor)
        self._close()
        return info

    def discard(self) -> None:
        """Close and remove the file; nothing happens when it was put in its place already."""
        self._close()
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            return

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)
