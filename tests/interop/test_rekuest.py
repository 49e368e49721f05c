"""The released rekuest client on our platform, and ours beside it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from jupyter_arkitekt.app import App
from jupyter_arkitekt.errors import TaskFailedError
from jupyter_arkitekt.mikro import from_xarray
from jupyter_arkitekt.rekuest import call
from jupyter_arkitekt.testing import hosting, wait_for_action
from tests.interop.conftest import Witness

OURS = '''
from jupyter_arkitekt.rekuest import register

@register(name="Our product")
def our_product(a: int, b: float = 2.0) -> float:
    """Multiply two numbers."""
    return a * b
'''


def test_the_witness_registers_a_function_and_calls_it(rekuest: Witness) -> None:
    report = rekuest.run("rekuest_self.py")
    assert report["returned"] == 42
    assert report["offers"] >= 1


def test_our_client_calls_what_the_witness_hosts(rekuest: Witness, app: App) -> None:
    pixels = np.arange(48 * 32, dtype=np.uint16).reshape(48, 32)
    image = from_xarray(xr.DataArray(pixels, dims=("y", "x")), name="To be averaged")
    with rekuest.running("rekuest_host.py"):
        wait_for_action("Witness Add")
        assert call("Witness Add", 40) == 42
        assert call("Witness Add", a=1, b=5) == 6
        assert call("Witness Mean", image, scale=2.0) == pytest.approx(2 * pixels.mean())
        with pytest.raises(TaskFailedError, match="told so"):
            call("Witness Fail", "told so")


def test_the_witness_calls_what_our_client_hosts(rekuest: Witness, app: App) -> None:
    with hosting(rekuest.platform, OURS):
        wait_for_action("Our product")
        assert rekuest.run("rekuest_call.py", "Our product", '{"a": 6, "b": 7.0}') == {"returned": 42.0}
