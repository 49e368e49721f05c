"""Host functions until the process is ended."""

import os

from arkitekt_next import easy, register
from mikro_next.api.schema import Image


@register
def witness_add(a: int, b: int = 2) -> int:
    """Add

    Adds two numbers.

    Args:
        a (int): first
        b (int): second

    Returns:
        int: the sum
    """
    return a + b


@register
def witness_mean(image: Image, scale: float = 1.0) -> float:
    """Mean

    The mean of an image.
    """
    return float(image.data.mean().compute()) * scale


@register
def witness_fail(message: str) -> str:
    """Fail

    Fails as told.
    """
    raise ValueError(message)


app = easy("org.example.host", url=os.environ["FAKTS_URL"], redeem_token=os.environ["FAKTS_REDEEM_TOKEN"])
with app:
    print("REPORT {}", flush=True)
    app.run()
