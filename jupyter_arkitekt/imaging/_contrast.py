"""Contrast: the two values between which a channel goes from dark to bright."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Percentiles of the default limits: a few hot pixels or a cosmic ray must not make the rest black.
LOW, HIGH = 0.3, 99.8


def contrast_limits(plane: NDArray[Any], *, low: float | None = None, high: float | None = None) -> tuple[float, float]:
    """Return the values that become dark and bright.

    Parameters
    ----------
    plane
        Pixels of one channel, any shape; bool, integers or floats. NaN and infinities are left out.
    low, high
        Stored limits; each wins over what the pixels say.

    Returns
    -------
    low, high
        In units of the pixels, ``low < high``. A plane of one value is shown dark if it is zero, bright otherwise.
    """
    if low is None or high is None:
        numbers = plane[np.isfinite(plane)] if plane.dtype.kind == "f" else plane.reshape(-1)
        if plane.dtype.kind == "b" or numbers.size == 0:
            found_low, found_high = 0.0, 1.0
        else:
            values = np.percentile(numbers.astype(np.float64, copy=False), (LOW, HIGH))
            found_low, found_high = float(values[0]), float(values[1])
            if found_high <= found_low:  # a few pixels in the dark: the percentiles see only the background
                found_low, found_high = float(numbers.min()), float(numbers.max())
            if found_high <= found_low:
                found_low, found_high = (0.0, found_low) if found_low > 0 else (found_low, found_low + 1.0)
        low = found_low if low is None else low
        high = found_high if high is None else high
    if not high > low:
        high = low + max(1.0, abs(low) * 1e-6)
    return low, high


def stretch(plane: NDArray[Any], low: float, high: float, gamma: float = 1.0) -> NDArray[np.float32]:
    """Map `low`..`high` to 0..1 and cut off what is outside; NaN becomes 0.

    Returns
    -------
    array
        float32, same shape, memory of its own.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        # Through float64: a float32 has 24 bits, and the difference of two 32-bit counts may need them all.
        out = (plane.astype(np.float64) - low) / (high - low)
    out = np.clip(np.nan_to_num(out, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    if gamma != 1.0 and gamma > 0:
        out **= gamma
    return out.astype(np.float32)
