"""Read the image whose id is the first argument; print its facts and the digest of its pixels."""

import hashlib
import json
import os
import sys

import numpy as np
from arkitekt_next import easy
from mikro_next.api.schema import get_image

with easy("org.example.reader", url=os.environ["FAKTS_URL"], redeem_token=os.environ["FAKTS_REDEEM_TOKEN"]):
    image = get_image(sys.argv[1])
    pixels = np.ascontiguousarray(image.data.values)
print(
    "REPORT "
    + json.dumps(
        {
            "name": image.name,
            "shape": list(pixels.shape),
            "dtype": str(pixels.dtype),
            "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        }
    )
)
