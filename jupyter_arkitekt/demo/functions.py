"""The sample app: three functions on images, hosted by a process of their own.

They read plane by plane, so that a stack larger than memory passes through; each says how far it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jupyter_arkitekt.mikro import Image, PartialDerivedViewInput, from_xarray
from jupyter_arkitekt.rekuest import progress, register

if TYPE_CHECKING:
    import numpy.typing as npt

#: Objects smaller than this many pixels are noise, not cells.
SMALLEST_CELL = 30


def blur_plane(plane: npt.NDArray[np.generic], sigma: float) -> npt.NDArray[np.generic]:
    """Blur one plane.

    Parameters
    ----------
    plane
        (y, x), any real dtype.
    sigma
        Standard deviation of the Gaussian, in pixels.

    Returns
    -------
    numpy.ndarray
        (y, x), the dtype of `plane`; integers are rounded to the nearest.
    """
    from scipy import ndimage

    blurred: npt.NDArray[np.float32] = ndimage.gaussian_filter(plane.astype(np.float32), sigma)
    return np.rint(blurred).astype(plane.dtype) if plane.dtype.kind in "iu" else blurred.astype(plane.dtype)


def count_in_plane(plane: npt.NDArray[np.generic], sigma: float) -> int:
    """Count the objects that stand out of the background of one (y, x) plane, after a blur of `sigma` pixels."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    smooth = ndimage.gaussian_filter(plane.astype(np.float32), sigma)
    labels, number = ndimage.label(smooth > threshold_otsu(smooth))
    if not number:
        return 0
    areas = np.bincount(labels.ravel())[1:]
    return int(np.count_nonzero(areas >= SMALLEST_CELL))


def sharpness(plane: npt.NDArray[np.generic]) -> float:
    """Return the variance of the Laplacian of one (y, x) plane: high where edges are in focus.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    from scipy import ndimage

    return float(ndimage.laplace(ndimage.gaussian_filter(plane.astype(np.float32), 1.0)).var())


@register(name="Gaussian blur")
def gaussian_blur(image: Image, sigma: float = 2.0) -> Image:
    """Blur an image.

    Every plane is convolved with a Gaussian; channels, time points and planes stay apart.

    Parameters
    ----------
    image
        The image to blur
    sigma
        Standard deviation of the Gaussian in pixels; larger is smoother

    Returns
    -------
    Image
        The blurred image, derived from the one that came in
    """
    if not sigma > 0:
        raise ValueError(f"sigma has to be larger than 0 pixels, it is {sigma:g}")
    import xarray as xr

    source = image.data
    blurred = xr.apply_ufunc(
        lambda block: np.stack([blur_plane(p, sigma) for p in block.reshape(-1, *block.shape[-2:])]).reshape(
            block.shape
        ),
        source.chunk({"y": -1, "x": -1}),
        dask="parallelized",
        output_dtypes=[source.dtype],
        keep_attrs=True,
    )
    progress(10, "Blurring and writing")
    return from_xarray(
        blurred,
        name=f"{image.name}, blurred by {sigma:g} px",
        derived_views=[PartialDerivedViewInput(origin_image=image.id)],
    )


@register(name="Count cells")
def count_cells(image: Image, sigma: float = 2.0) -> int:
    """Count the cells in an image.

    The first channel and time point are taken; a stack is projected to its brightest values along z. Bright objects
    above Otsu's threshold count when they are not tiny.

    Parameters
    ----------
    image
        The image to count in
    sigma
        Blur before the threshold, in pixels; larger ignores finer detail

    Returns
    -------
    int
        Number of cells
    """
    plane = image.data.isel(c=0, t=0).max("z").to_numpy()
    return count_in_plane(plane, sigma)


@register(name="Find the sharpest plane")
def find_sharpest_plane(image: Image, channel: int = 0) -> int:
    """Find the plane that is best in focus.

    All planes of one channel are read at full resolution, at every time point, so this takes a while on a large stack.

    Parameters
    ----------
    image
        The stack to look through
    channel
        Index of the channel to judge, counted from 0

    Returns
    -------
    int
        Index of the plane along z, counted from 0
    """
    channels = image.data.sizes["c"]
    if not 0 <= channel < channels:
        raise ValueError(f"channel has to be one of 0 to {channels - 1}, it is {channel}")
    data = image.data.isel(c=channel)
    times, planes = data.sizes["t"], data.sizes["z"]
    scores = np.zeros(planes)
    for z in range(planes):
        for t in range(times):
            progress(100 * (z * times + t) // (planes * times), f"Plane {z + 1} of {planes}, time point {t + 1}")
            scores[z] += sharpness(data.isel(t=t, z=z).to_numpy())
    return int(scores.argmax())
