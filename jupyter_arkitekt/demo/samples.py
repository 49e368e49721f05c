"""Sample images: two real ones from scikit-image's wheel, and a generated stack with all five dimensions.

The real ones are brought as they are: scikit-image states no pixel size, so none is invented. The generated stack
carries what a microscope would write: channels with wavelengths, a pixel size, a time step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr

    from jupyter_arkitekt.mikro import Image

#: Names of the sample images; what has one of these names in the dataset `DATASET` is not brought again.
CELL = "Cell in culture (scikit-image)"
TISSUE = "Colon tissue, DAB stain (scikit-image)"
STACK = "Nuclei and vesicles, z-stack over time (generated)"

#: Channels, time points, planes, rows, columns.
STACK_SHAPE = (2, 5, 16, 1024, 1024)
#: Micrometres per pixel.
STACK_PIXEL_SIZE = {"z": 0.5, "y": 0.13, "x": 0.13}
#: Name, excitation and emission in nanometres.
STACK_CHANNELS = (("DAPI", 405, 460), ("GFP", 488, 525))
_SEED = 20_26
_CELLS = 60
_VESICLES = 14  # per cell
_OFFSET = 100.0  # camera offset in counts
_BACKGROUND = 14.0


@dataclass(frozen=True, slots=True)
class Sample:
    """An image to bring: its name, its pixels and the keyword arguments of `from_xarray`."""

    name: str
    array: xr.DataArray
    options: dict[str, Any]


def cell() -> npt.NDArray[np.uint8]:
    """Return scikit-image's ``data.cell()``: (660, 550) uint8, a cell in quantitative phase contrast."""
    from skimage import data

    pixels: npt.NDArray[np.uint8] = data.cell()
    return pixels


def tissue() -> npt.NDArray[np.uint8]:
    """Return scikit-image's ``data.immunohistochemistry()``: (512, 512, 3) uint8 RGB, colon tissue."""
    from skimage import data

    pixels: npt.NDArray[np.uint8] = data.immunohistochemistry()
    return pixels


@dataclass(frozen=True, slots=True)
class _Blobs:
    """Bright objects of one channel: centres (y, x, z), half axes and angle, peak in counts, steepness of the edge."""

    centres: npt.NDArray[np.float64]
    axes: npt.NDArray[np.float64]
    angles: npt.NDArray[np.float64]
    peaks: npt.NDArray[np.float64]
    steepness: int
    depth: float


def _scene() -> tuple[npt.NDArray[np.float64], list[list[_Blobs]]]:
    """Return the drift of each cell per time point, (cells, 2), and the blobs of each channel, cell by cell."""
    random = np.random.default_rng(_SEED)
    planes, height, width = STACK_SHAPE[2:]
    cells = np.column_stack(
        [
            random.uniform(25, height - 25, _CELLS),
            random.uniform(25, width - 25, _CELLS),
            random.normal(planes / 2, planes / 7, _CELLS),
        ]
    )
    nuclei = _Blobs(
        cells,
        np.column_stack([random.uniform(13, 18, _CELLS), random.uniform(18, 25, _CELLS)]),
        random.uniform(0, np.pi, _CELLS),
        random.uniform(350, 900, _CELLS),
        2,
        4.0,
    )
    bodies = _Blobs(cells, nuclei.axes * 2.1, nuclei.angles, random.uniform(50, 110, _CELLS), 1, 6.0)
    spread = random.normal(0, 1, (_CELLS * _VESICLES, 3)) * np.array([24, 24, 2.0])
    vesicles = _Blobs(
        np.repeat(cells, _VESICLES, axis=0) + spread,
        np.repeat(random.uniform(1.6, 2.8, _CELLS * _VESICLES)[:, None], 2, axis=1),
        np.zeros(_CELLS * _VESICLES),
        random.uniform(250, 900, _CELLS * _VESICLES),
        1,
        1.4,
    )
    return random.normal(0, 2.5, (_CELLS, 2)), [[nuclei], [bodies, vesicles]]


def _draw(image: npt.NDArray[np.float32], blobs: _Blobs, drift: npt.NDArray[np.float64], z: int, fade: float) -> None:
    depths = np.abs(blobs.centres[:, 2] - z)
    per_cell = len(blobs.centres) // len(drift)
    for i, (centre, axes, angle) in enumerate(zip(blobs.centres, blobs.axes, blobs.angles, strict=True)):
        peak = blobs.peaks[i] * fade * np.exp(-0.5 * (depths[i] / blobs.depth) ** 2)
        if peak < 1:
            continue
        cy, cx = centre[:2] + drift[i // per_cell]
        out_of_focus = 1 + 0.06 * depths[i]
        reach = int(3.2 * axes.max() * out_of_focus)
        top, left = max(0, int(cy) - reach), max(0, int(cx) - reach)
        part = image[top : max(0, int(cy) + reach + 1), left : max(0, int(cx) + reach + 1)]
        y = np.arange(top, top + part.shape[0], dtype=np.float32)[:, None] - np.float32(cy)
        x = np.arange(left, left + part.shape[1], dtype=np.float32)[None] - np.float32(cx)
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        squared = ((across / axes[0]) ** 2 + (along / axes[1]) ** 2) / out_of_focus**2
        part += (peak * np.exp(-0.5 * squared**blobs.steepness)).astype(np.float32)


def stack_plane(c: int, t: int, z: int) -> npt.NDArray[np.uint16]:
    """Compute one plane of the generated stack, the same at every call.

    Parameters
    ----------
    c, t, z
        Index of channel (0 nuclei, 1 vesicles in cell bodies), time point and plane.

    Returns
    -------
    numpy.ndarray
        (1024, 1024) uint16, dims y, x, in camera counts. Objects fade and widen out of focus, drift and bleach over
        time; the noise has the variance of the signal (shot noise) plus that of the camera.
    """
    drift, channels = _scene()
    image = np.full(STACK_SHAPE[3:], _BACKGROUND, np.float32)
    for blobs in channels[c]:
        _draw(image, blobs, drift * t, z, 0.97**t)
    noise = np.random.default_rng([_SEED, c, t, z]).standard_normal(image.shape, dtype=np.float32)
    counts = image + noise * np.sqrt(image + 4.0) + _OFFSET
    return np.clip(counts, 0, 65535).astype(np.uint16)


def _stack() -> xr.DataArray:
    import dask.array as da
    import xarray as xr

    def block(block_info: Any = None) -> npt.NDArray[np.uint16]:
        (c, _), (t, _), (z, _), *_ = block_info[None]["array-location"]
        return stack_plane(c, t, z)[None, None, None]

    chunks = tuple((1,) * length for length in STACK_SHAPE[:3]) + tuple((length,) for length in STACK_SHAPE[3:])
    pixels = da.map_blocks(block, chunks=chunks, dtype=np.uint16, meta=np.empty((0,) * 5, np.uint16))  # type: ignore[no-untyped-call]  # dask has no types here
    return xr.DataArray(pixels, dims=("c", "t", "z", "y", "x"))


def samples() -> list[Sample]:
    """Return the three sample images; the pixels of the stack are made as they are read."""
    import xarray as xr

    from jupyter_arkitekt.mikro import PartialChannelViewInput

    channels = [
        PartialChannelViewInput(
            name=name, c_min=i, c_max=i + 1, excitation_wavelength=f"{ex} nm", emission_wavelength=f"{em} nm"
        )
        for i, (name, ex, em) in enumerate(STACK_CHANNELS)
    ]
    return [
        Sample(CELL, xr.DataArray(cell(), dims=("y", "x")), {"tags": ["sample"]}),
        Sample(TISSUE, xr.DataArray(tissue(), dims=("y", "x", "c")), {"tags": ["sample"]}),
        Sample(
            STACK,
            _stack(),
            {"tags": ["sample"], "pixel_size": STACK_PIXEL_SIZE, "channel_views": channels},
        ),
    ]


def bring(report: Any = None) -> dict[str, Image]:
    """Bring the sample images that are not there yet.

    Parameters
    ----------
    report
        Called with the name of each image before it is uploaded.

    Returns
    -------
    dict
        The images by name, those that were there already included.
    """
    from jupyter_arkitekt.mikro import from_xarray, images

    found = {}
    for sample in samples():
        there = [image for image in images(search=sample.name) if image.name == sample.name]
        if there:
            found[sample.name] = there[-1]
            continue
        if report is not None:
            report(sample.name)
        found[sample.name] = from_xarray(sample.array, name=sample.name, **sample.options)
    return found
