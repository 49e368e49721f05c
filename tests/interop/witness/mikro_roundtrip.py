"""Sign in by redeem token, write an image, read it back three ways; print what came as JSON."""

import json
import os

import numpy as np
import xarray as xr
from arkitekt_next import easy
from mikro_next.api.schema import from_array_like, get_image, get_random_image

array = xr.DataArray(
    np.random.default_rng(3).integers(0, 60000, (2, 1, 3, 64, 48), dtype=np.uint16), dims=("c", "t", "z", "y", "x")
)
with easy("org.example.witness", url=os.environ["FAKTS_URL"], redeem_token=os.environ["FAKTS_REDEEM_TOKEN"]):
    written = from_array_like(array, name="From the witness", tags=["witness"])
    read = get_image(written.id)
    some = get_random_image()
    report = {
        "id": str(written.id),
        "name": read.name,
        "dims": list(read.data.dims),
        "dtype": str(read.data.dtype),
        "equal": bool(np.array_equal(read.data.values, array.values)),
        "random": str(some.id),
        "views": sorted(type(view).__name__ for view in read.views),
    }
print("REPORT " + json.dumps(report))
