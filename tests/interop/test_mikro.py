"""Released mikro clients on our platform, and ours beside them."""

from __future__ import annotations

import hashlib

import numpy as np

from jupyter_arkitekt.app import App
from jupyter_arkitekt.mikro import from_xarray, get_image
from tests.interop.conftest import Witness


def test_the_witness_signs_in_and_reads_back_what_it_wrote_to_the_bit(mikro: Witness) -> None:
    report = mikro.run("mikro_roundtrip.py")
    assert report["equal"]
    assert report["name"] == "From the witness"
    assert report["dims"] == ["c", "t", "z", "y", "x"]
    assert report["dtype"] == "uint16"
    assert report["random"].isdigit()
    assert len(report["views"]) == 2
    assert all("RGBView" in name for name in report["views"])


def test_our_client_reads_what_the_witness_wrote(mikro: Witness, app: App) -> None:
    report = mikro.run("mikro_roundtrip.py")
    image = get_image(report["id"])
    written = np.random.default_rng(3).integers(0, 60000, (2, 1, 3, 64, 48), dtype=np.uint16)
    np.testing.assert_array_equal(image.data.values, written)
    assert image.name == "From the witness"
    assert "image/png" in image._repr_mimebundle_()


def test_the_witness_reads_what_our_client_wrote(mikro: Witness, app: App) -> None:
    import xarray as xr

    pixels = np.random.default_rng(4).integers(0, 60000, (2, 1, 5, 300, 400), dtype=np.uint16)
    image = from_xarray(xr.DataArray(pixels, dims=("c", "t", "z", "y", "x")), name="For the witness <b>")
    report = mikro.run("mikro_read.py", str(image.id))
    assert report["name"] == "For the witness <b>"
    assert report["shape"] == list(pixels.shape)
    assert report["dtype"] == "uint16"
    assert report["sha256"] == hashlib.sha256(pixels.tobytes()).hexdigest()
