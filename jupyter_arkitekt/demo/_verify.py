"""What each cell of the quickstart must have produced, computed another way than the cell did.

A step names its cell, an expression that the kernel evaluates after it, and a check of that value. The checks know
the samples' source, numpy and scikit-image, and nothing of the platform.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jupyter_arkitekt.demo import samples


class MismatchError(AssertionError):
    """A step's result differs from the value that was computed another way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cell left: the value of the step's expression, and the cell's outputs."""

    value: Any
    outputs: list[dict[str, Any]]

    def bundle(self) -> dict[str, Any]:
        """Return the last rich output of the cell.

        Raises
        ------
        MismatchError
            If the cell showed none.
        """
        for output in reversed(self.outputs):
            if output.get("output_type") in {"execute_result", "display_data"}:
                data: dict[str, Any] = output["data"]
                return data
        raise MismatchError("the cell showed nothing")

    def picture(self) -> npt.NDArray[np.float64]:
        """Return the picture of the last rich output, (rows, columns, 3), 0 to 255."""
        from PIL import Image as Picture

        data = self.bundle()
        if "image/png" not in data:
            raise MismatchError(f"the cell showed no picture, only {', '.join(data)}")
        with Picture.open(io.BytesIO(base64.b64decode(data["image/png"]))) as picture:
            return np.asarray(picture.convert("RGB"), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Step:
    """One verified step of the quickstart.

    Attributes
    ----------
    cell, title
        Id of the cell, and what it shows, for people.
    expression
        What the kernel evaluates afterwards; JSON.
    check
        Raises `MismatchError` unless that value, and what the cell showed, is right.
    then
        What a person does after the cell, as code: press a form's button.
    """

    cell: str
    title: str
    expression: str
    check: Callable[[Outcome], None]
    then: str = ""


def _same(got: Any, expected: Any, what: str) -> None:
    if got != expected:
        raise MismatchError(f"{what} is {got!r}, computed another way it is {expected!r}")


def _shrink(plane: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    from skimage.transform import resize

    shrunk: npt.NDArray[np.float64] = resize(plane.astype(np.float64), shape, anti_aliasing=True, preserve_range=True)
    return shrunk


def _blur(plane: npt.NDArray[Any], sigma: float) -> npt.NDArray[np.float32]:
    """Convolve (y, x) with a Gaussian cut at four sigma, edges mirrored; by sums of shifted copies."""
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    blurred = plane.astype(np.float64)
    for axis in (0, 1):
        length = blurred.shape[axis]
        wide = np.pad(blurred, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], mode="symmetric")
        blurred = sum(
            w * wide.take(range(shift, shift + length), axis=axis) for shift, w in enumerate(weights.tolist())
        )
    return blurred.astype(np.float32)


def _alike(picture: npt.NDArray[np.float64], expected: npt.NDArray[np.float64], least: float, what: str) -> None:
    """Compare with the lower corners left out, where a scale bar may lie."""
    rows = int(picture.shape[0] * 0.85)
    likeness = float(np.corrcoef(picture[:rows].ravel(), expected[:rows].ravel())[0, 1])
    if not likeness >= least:
        raise MismatchError(f"{what} correlates with its source by {likeness:.3f}, less than {least}")


def _signed_in(outcome: Outcome) -> None:
    text = "".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in outcome.outputs)
    user, url = outcome.value
    if not user or user not in text or url not in text:
        raise MismatchError(f"the line {text!r} does not say who ({user}) and where ({url})")
    if not url.startswith(("http://127.0.0.1:", "http://localhost:", "http://[::1]:")):
        raise MismatchError(f"{url} is not the local platform")


def _listed(outcome: Outcome) -> None:
    missing = {samples.CELL, samples.TISSUE, samples.STACK} - set(outcome.value)
    if missing:
        raise MismatchError(f"not listed: {', '.join(sorted(missing))}")


def _stack_picture(outcome: Outcome) -> None:
    picture = outcome.picture()
    middle = samples.STACK_SHAPE[2] // 2
    expected = sum(
        _shrink(np.clip(samples.stack_plane(c, 0, middle), 100, 700), (picture.shape[0], picture.shape[1]))
        for c in range(2)
    )
    _alike(picture.sum(axis=2), np.asarray(expected), 0.85, "the stack's picture")
    html = outcome.bundle().get("text/html", "")
    if "µm" not in html or "DAPI" not in html:
        raise MismatchError("the face of the stack names neither its pixel size nor its channels")
    _same(outcome.value, samples.STACK, "the image's name")


def _lazy(outcome: Outcome) -> None:
    shape, dims, dtype, lazy = outcome.value
    _same(tuple(shape), samples.STACK_SHAPE, "the shape")
    _same(tuple(dims), ("c", "t", "z", "y", "x"), "the order of dims")
    _same(dtype, "uint16", "the dtype")
    _same(lazy, True, "whether the data is lazy")


def _maximum(outcome: Outcome) -> None:
    _same(outcome.value, int(samples.stack_plane(0, 0, 8).max()), "the maximum of plane 8")


def _tissue_picture(outcome: Outcome) -> None:
    picture, source = outcome.picture(), samples.tissue()
    shrunk = np.stack([_shrink(source[..., c], (picture.shape[0], picture.shape[1])) for c in range(3)], axis=-1)
    difference = float(np.abs(picture - shrunk).mean())
    if difference > 4:
        raise MismatchError(f"the picture differs from scikit-image's by {difference:.1f} of 255 on average")


def _cells(outcome: Outcome) -> None:
    from skimage.filters import threshold_otsu
    from skimage.measure import label, regionprops

    brightest = np.max([samples.stack_plane(0, 0, z) for z in range(samples.STACK_SHAPE[2])], axis=0)
    smooth = _blur(brightest, 3.0)
    regions = regionprops(label(smooth > threshold_otsu(smooth), connectivity=1))
    expected = sum(region.area >= 30 for region in regions)
    _same(outcome.value, int(expected), "the number of cells")
    if not 20 <= expected <= 80:
        raise MismatchError(f"{expected} cells is no sensible count for 60 that were drawn")


def _blurred(outcome: Outcome) -> None:
    name, origins, pixels = outcome.value
    expected = _blur(samples.cell(), 3.0)
    got = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(samples.cell().shape)
    worst = float(np.abs(got - expected).max())
    if worst > 0.51:
        raise MismatchError(f"the blurred image differs from scikit-image's by up to {worst:.2f} counts")
    if "blurred" not in name or samples.CELL not in origins:
        raise MismatchError(f"the result {name!r} does not say that it comes from {samples.CELL!r}, only {origins}")


def _laplacian_variance(plane: npt.NDArray[Any]) -> float:
    p = np.pad(_blur(plane, 1.0), 1, mode="symmetric")
    return float((p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:] - 4 * p[1:-1, 1:-1]).var())


def _sharpest(outcome: Outcome) -> None:
    value, highest_progress, messages = outcome.value
    _, times, planes, *_ = samples.STACK_SHAPE
    with ThreadPoolExecutor(2) as pool:
        scores = list(
            pool.map(
                lambda z: sum(_laplacian_variance(samples.stack_plane(1, t, z)) for t in range(times)), range(planes)
            )
        )
    _same(value, int(np.argmax(scores)), "the sharpest plane")
    if not highest_progress or not messages:
        raise MismatchError("the slow function reported no progress")


def _mean(outcome: Outcome) -> None:
    expected = float(samples.cell().mean(dtype=np.float64))
    if not math.isclose(outcome.value, expected, rel_tol=1e-9):
        raise MismatchError(f"the mean is {outcome.value!r}, computed another way it is {expected!r}")


STEPS = (
    Step(
        "load",
        "sign in on the local platform",
        "(lambda app: [app.user, app.url])(__import__('jupyter_arkitekt.context', fromlist=['current']).current())",
        _signed_in,
    ),
    Step("list", "list the images", "[i.name for i in images(limit=50)]", _listed),
    Step("picture", "show a stack as a picture", "stack.name", _stack_picture),
    Step(
        "lazy",
        "open its pixels lazily",
        "[list(stack.data.shape), list(stack.data.dims), str(stack.data.dtype), stack.data.chunks is not None]",
        _lazy,
    ),
    Step("read", "read one plane", "_", _maximum),
    Step("tissue", "show a colour image", "tissue.name", _tissue_picture),
    Step("count", "call a function in another process", "_", _cells),
    Step(
        "form",
        "call one through its form",
        "[blur.result.name, [v.origin_image.name for v in blur.result.views if hasattr(v, 'origin_image')],"
        " __import__('base64').b64encode(blur.result.data.to_numpy().tobytes()).decode()]",
        _blurred,
        "blur.run()\nblur.wait(240)",
    ),
    Step(
        "slow",
        "follow a slow one through its form",
        "[sharpest.result, sharpest.task.progress, sharpest.task.message]",
        _sharpest,
        "sharpest.run()\nsharpest.wait(280)",
    ),
    Step("register", "host a function of the notebook, and call it", "_", _mean),
)
