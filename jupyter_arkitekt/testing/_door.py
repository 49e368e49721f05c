"""The S3 door alone, in a process of its own, for tests that need it small, short of room, or killed.

``python -m jupyter_arkitekt.testing._door DATA_DIR [MAX_OBJECT_BYTES]`` prints its address when it answers.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import uvicorn
from starlette.applications import Starlette

from jupyter_arkitekt.server.objects import Grant, Grants, Storage, routes
from jupyter_arkitekt.server.objects.storage import MAX_OBJECT_BYTES


@dataclass
class Objects:
    """What the door needs of a platform."""

    storage: Storage
    grants: Grants


@dataclass
class RunningDoor:
    """A running door.

    Attributes
    ----------
    url
        Its address, without a slash at its end.
    data_dir
        Where its objects and its secret are.
    process
        The process, ``None`` when it belongs to somebody else.
    """

    url: str
    data_dir: Path
    process: subprocess.Popen[str] | None = None

    def grant(self, key: str, *, bucket: str = "zarr", write: bool = True, seconds: int = 3600) -> Grant:
        """Make credentials as the platform does."""
        return Grants.open(self.data_dir).issue(bucket, key, write=write, seconds=seconds)

    def files(self) -> list[str]:
        """Return all files below the folder of the objects, relative to it."""
        root = self.data_dir / "objects"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@contextlib.contextmanager
def serve_door(
    data_dir: Path, *, max_object_bytes: int = MAX_OBJECT_BYTES, max_file_bytes: int | None = None
) -> Iterator[RunningDoor]:
    """Run the door over `data_dir` while the context lasts.

    Parameters
    ----------
    data_dir
        Made if it is not there.
    max_object_bytes
        Larger objects are refused.
    max_file_bytes
        The system lets the process write no larger file, as if the disk were full.
    """

    def limit() -> None:
        if max_file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))

    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(data_dir), str(max_object_bytes)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=limit,
    )
    try:
        url = _first_line(process.stdout).strip()
        if not url:
            raise RuntimeError(f"The door did not start: it ended with {process.wait(30)}.")
        yield RunningDoor(url, data_dir, process)
    finally:
        process.kill()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def _first_line(stream: IO[str] | None) -> str:
    return "" if stream is None else stream.readline()


def _run(data_dir: Path, max_object_bytes: int) -> None:
    platform = Objects(Storage.open(data_dir, max_object_bytes=max_object_bytes), Grants.open(data_dir))
    config = uvicorn.Config(Starlette(routes=routes(platform)), log_level="warning", access_log=False)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        # Whoever connects from now on is answered, a moment later.
        os.write(1, f"http://127.0.0.1:{listening.getsockname()[1]}\n".encode())
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    _run(Path(sys.argv[1]), int(sys.argv[2]))
