"""A platform whose disk is full while an image goes up."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable

import numpy as np
import pytest

from jupyter_arkitekt.app import easy
from jupyter_arkitekt.errors import UploadError
from jupyter_arkitekt.mikro import from_array_like, images
from jupyter_arkitekt.testing import Served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are set by Linux's prlimit")

#: Bytes of the largest file: enough for the database, too little for a shard of noise.
LIMIT = 3_000_000


def test_an_upload_to_a_full_disk_is_one_clear_error_and_no_image(serve: Callable[..., Served]) -> None:
    served = serve()
    pixels = np.random.default_rng(0).integers(0, 65536, (1, 1, 1, 2048, 2048), dtype=np.uint16)
    with easy("org.example.full", url=served.url, redeem_token=served.redeem_token()):
        unlimited = resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))
        with pytest.raises(UploadError) as refused:
            from_array_like(pixels, name="too large for this disk")
        assert "too large for this disk" in str(refused.value)
        assert "no image was made" in str(refused.value).lower()
        assert images() == []
        resource.prlimit(served.pid, resource.RLIMIT_FSIZE, unlimited)
        assert from_array_like(pixels, name="now there is room").id
        assert [image.name for image in images()] == ["now there is room"]
