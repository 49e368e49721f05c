"""Images: thumbnails, upload, read; two large arrays of Poisson noise."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
import zarr
from zarr.storage import ObjectStore

from benchmarks._rows import Row, running, s3_keys, seconds, upload_grant
from jupyter_arkitekt import bridge, context, mikro
from jupyter_arkitekt.app import easy
from jupyter_arkitekt.models.mikro import ZarrAccessGrant
from jupyter_arkitekt.transport.objects import store as object_store

ARRAYS = {"stack": (2, 1, 30, 2048, 2048), "plane": (1, 1, 1, 20000, 20000)}
_MOST_BYTES = 256 * 1024


def noise(shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Return Poisson noise with mean 400, (c, t, z, y, x) uint16; one plane is drawn and rolled, which zstd cannot see."""
    plane = np.random.default_rng(0).poisson(400, shape[-2:]).astype(np.uint16)
    out = np.empty(shape, np.uint16)
    for i, index in enumerate(np.ndindex(*shape[:-2])):
        out[index] = np.roll(plane, (37 * i, 101 * i), axis=(0, 1))
    return out


def rows() -> list[Row]:
    """Measure."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as served:
        app = easy("org.example.benchmark", url=served.url, redeem_token=served.redeem_token())
        with app:
            for name, shape in ARRAYS.items():
                found += _measure(name, shape)
    return found


def _measure(name: str, shape: tuple[int, ...]) -> list[Row]:
    pixels = noise(shape)
    array = xr.DataArray(pixels, dims=("c", "t", "z", "y", "x"))
    image = None

    def upload() -> None:
        nonlocal image
        image = mikro.from_xarray(array, name=name)

    took = seconds(upload)
    assert image is not None
    straight = _straight_write(pixels, image)
    rate, straight_rate = pixels.nbytes / took / 1e6, pixels.nbytes / straight / 1e6
    found = [
        Row(
            f"`from_xarray` of the {name}, pyramid included",
            f"{rate:.0f} MB/s",
            f"zarr + obstore, level 0 alone, same door: {straight_rate:.0f} MB/s; ratio {rate / straight_rate:.2f}",
        )
    ]
    found += _thumbnail(name, image)
    found.append(_read(name, image))
    return found


def _opened(image: mikro.Image) -> zarr.Array[Any]:
    """Open the image's array with zarr and obstore alone."""
    service = context.current().service("mikro")
    grant = bridge.sync(service.mutate("requestZarrAccess", ZarrAccessGrant, input={"storeId": image.store.id}))
    place = object_store(context.current().endpoint("s3"), lambda: s3_keys(grant), grant.bucket, grant.key)
    return zarr.open_array(ObjectStore(place, read_only=True), mode="r")


def _straight_write(pixels: np.ndarray[Any, Any], image: mikro.Image) -> float:
    """Write the same array with the same chunks and shards through the same door, without pyramid and record."""
    like = _opened(image)
    grant = bridge.sync(upload_grant())
    place = object_store(context.current().endpoint("s3"), lambda: s3_keys(grant), grant.bucket, grant.key)
    began = time.perf_counter()
    array = zarr.create_array(
        ObjectStore(place),
        shape=pixels.shape,
        dtype=pixels.dtype,
        chunks=like.chunks,
        shards=like.shards,
        compressors=like.compressors,
        overwrite=False,
    )
    array[...] = pixels
    return time.perf_counter() - began


def _thumbnail(name: str, image: mikro.Image) -> list[Row]:
    before = mikro.bytes_read()
    fresh = mikro.get_image(image.id)
    cold = seconds(fresh.thumbnail)
    read = mikro.bytes_read() - before
    warm = sorted(seconds(mikro.get_image(image.id).thumbnail) for _ in range(5))[2]
    plane = image.data.isel(c=0, t=0, z=image.data.sizes["z"] // 2)
    whole = seconds(plane.compute)
    return [
        Row(
            f"first thumbnail of the {name}",
            f"{read / 1000:.0f} kB in {cold * 1000:.0f} ms, then {warm * 1000:.1f} ms",
            f"the whole plane: {plane.nbytes / 1e6:.0f} MB in {whole * 1000:.0f} ms",
            "≤ 256 kB",
            0 < read <= _MOST_BYTES,
        )
    ]


def _read(name: str, image: mikro.Image) -> Row:
    """Read everything both ways, in turn first and second, so that neither always meets the machine as the other left it."""
    chunks = image.data.data.chunksize
    times: dict[str, list[float]] = {"ours": [], "peer": []}

    def ours() -> None:
        mikro.get_image(image.id).data.compute()

    def peer() -> None:
        da.from_zarr(_opened(image), chunks=chunks).compute()  # type: ignore[no-untyped-call]  # dask has no types here

    ways = [("ours", ours), ("peer", peer)]
    for turn in range(6):
        for way, read in ways if turn % 2 else ways[::-1]:
            times[way].append(seconds(read))
    mine, theirs = (statistics.median(times[way]) for way in ("ours", "peer"))
    size = image.data.nbytes / 1e6
    return Row(
        f"`.data.compute()` of the {name}",
        f"{size / mine:.0f} MB/s",
        f"`dask.array.from_zarr`, same store and chunks: {size / theirs:.0f} MB/s; ratio {theirs / mine:.2f}",
    )
