"""The S3 door: objects of 16 MB, signed and with their payload's hash, beside a plain folder."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore

from benchmarks._rows import Row, median, running, s3_keys, seconds, upload_grant
from jupyter_arkitekt import bridge
from jupyter_arkitekt.app import easy
from jupyter_arkitekt.transport.objects import store as object_store

_SIZE = 16_000_000


def rows() -> list[Row]:
    """Measure."""
    body = os.urandom(_SIZE)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as served:
        plain = Path(folder) / "plain"
        plain.mkdir()
        local = LocalStore(plain)
        with easy("org.example.benchmark", url=served.url, redeem_token=served.redeem_token()) as app:
            grant = bridge.sync(upload_grant())
            door = object_store(app.endpoint("s3"), lambda: s3_keys(grant), grant.bucket, grant.key)
            figures = {name: _rates(place, body) for name, place in (("door", door), ("folder", local))}
    return [
        Row("S3 door, put of 16 MB", f"{figures['door'][0]:.0f} MB/s", f"a folder: {figures['folder'][0]:.0f} MB/s"),
        Row("S3 door, get of 16 MB", f"{figures['door'][1]:.0f} MB/s", f"a folder: {figures['folder'][1]:.0f} MB/s"),
    ]


def _rates(place: ObjectStore, body: bytes) -> tuple[float, float]:
    """Return MB/s of putting and getting `body`, under a fresh key each time."""
    numbers = itertools.count()

    def put() -> float:
        key = f"c/{next(numbers)}"
        return seconds(lambda: obstore.put(place, key, body, use_multipart=False))

    def get() -> float:
        return seconds(lambda: obstore.get(place, "c/0").bytes())

    return _SIZE / median(put) / 1e6, _SIZE / median(get) / 1e6
