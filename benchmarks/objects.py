"""The S3 door: objects of 16 MB, signed and with their payload's hash, beside a plain folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import obstore
from obstore.store import LocalStore

from benchmarks._rows import Row, median, seconds
from jupyter_arkitekt import bridge, context, mikro
from jupyter_arkitekt.app import easy
from jupyter_arkitekt.testing import Served
from jupyter_arkitekt.transport.objects import store as object_store

_SIZE = 16_000_000


def rows() -> list[Row]:
    """Measure."""
    body = os.urandom(_SIZE)
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder) / "data") as served:
        plain = Path(folder) / "plain"
        plain.mkdir()
        local = LocalStore(plain)
        with easy("org.example.benchmark", url=served.url, redeem_token=served.redeem_token()) as app:
            grant = bridge.sync(
                context.current().service("mikro").mutate("requestZarrUpload", mikro.UploadGrant, input={})
            )
            keys = {
                "access_key_id": grant.access_key,
                "secret_access_key": grant.secret_key,
                "token": grant.session_token,
                "expires_at": None,
            }
            door = object_store(app.endpoint("s3"), lambda: keys, grant.bucket, grant.key)
            figures = {}
            for name, place in (("door", door), ("folder", local)):
                put = median(lambda place=place: seconds(lambda: obstore.put(place, "c", body, use_multipart=False)))
                get = median(lambda place=place: seconds(lambda: obstore.get(place, "c").bytes()))
                figures[name] = (_SIZE / put / 1e6, _SIZE / get / 1e6)
    return [
        Row("S3 door, put of 16 MB", f"{figures['door'][0]:.0f} MB/s", f"a folder: {figures['folder'][0]:.0f} MB/s"),
        Row("S3 door, get of 16 MB", f"{figures['door'][1]:.0f} MB/s", f"a folder: {figures['folder'][1]:.0f} MB/s"),
    ]
