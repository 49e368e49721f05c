"""Uploads that do not come to their end: cancelled, and with a server that dies."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import dask.array as da
import numpy as np
import pytest

from jupyter_arkitekt import bridge
from jupyter_arkitekt.app import App, easy
from jupyter_arkitekt.errors import ConnectError, UploadError
from jupyter_arkitekt.mikro import afrom_array_like, from_array_like, images
from jupyter_arkitekt.testing import Serve, Served, wait_for


class Gate:
    """A dask array whose last blocks wait until somebody opens the gate."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        self.pixels = da.zeros((1, 1, 1, 8192, 2048), chunks=(1, 1, 1, 2048, 2048), dtype="u2").map_blocks(
            self.block, dtype="u2", meta=np.empty((0,) * 5, "u2")
        )

    def block(self, block: Any, block_info: Any = None) -> Any:
        row = block_info[0]["chunk-location"][3]
        if row == 3:
            self.reached.set()
            if not self.opened.wait(60):
                raise TimeoutError("nobody opened the gate")
        return np.random.default_rng(row).integers(0, 65536, block.shape, dtype="u2")


def stored(platform: Served) -> int:
    # os.walk and not rglob: folders vanish while they are looked at.
    return sum(name == "zarr.json" for _, _, names in os.walk(platform.data_dir) for name in names)


def test_a_cancelled_upload_gives_its_place_back_and_makes_no_image(app: App, platform: Served) -> None:
    before, files = [image.id for image in images(limit=None)], stored(platform)
    gate = Gate()
    coming = bridge.spawn(afrom_array_like(gate.pixels, "cancelled"))
    try:
        wait_for(gate.reached.is_set, 60, "the last block to be asked for")
        coming.cancel()
    finally:
        gate.opened.set()
    wait_for(lambda: stored(platform) == files, 60, "the pixels to be removed")
    assert [image.id for image in images(limit=None)] == before


def test_a_server_that_dies_in_the_middle_is_one_clear_error(serve: Serve) -> None:
    served = serve()
    gate = Gate()
    with easy("org.example.dies", url=served.url, redeem_token=served.redeem_token()):
        outcome: list[BaseException] = []

        def work() -> None:
            try:
                from_array_like(gate.pixels, "unlucky")
            except (UploadError, ConnectError) as error:
                outcome.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            wait_for(gate.reached.is_set, 60, "the last block to be asked for")
            served.kill()
        finally:
            gate.opened.set()
        thread.join(90)
        assert not thread.is_alive()
        [error] = outcome
        assert "'unlucky'" in str(error)
        assert "No image was made" in str(error)
        assert served.url in str(error)
        served.restart()
        assert images() == []


async def test_cancelling_the_waiter_cancels_the_upload(app: App) -> None:
    gate = Gate()
    task = asyncio.ensure_future(afrom_array_like(gate.pixels, "nobody waits"))
    await asyncio.to_thread(gate.reached.wait, 60)
    task.cancel()
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert images("nobody waits") == []
