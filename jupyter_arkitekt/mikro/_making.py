"""Doors that make images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.errors import ArgumentError
from jupyter_arkitekt.mikro._dims import FiveD, five_d
from jupyter_arkitekt.mikro._image import Image
from jupyter_arkitekt.mikro._metadata import PixelSize, channels_from, times_from, transformation_from
from jupyter_arkitekt.mikro._upload import upload
from jupyter_arkitekt.models.mikro import (
    DatasetFields,
    Named,
    PartialAcquisitionViewInput,
    PartialAffineTransformationViewInput,
    PartialChannelViewInput,
    PartialDerivedViewInput,
    PartialFileViewInput,
    PartialInstanceMaskViewInput,
    PartialLightpathViewInput,
    PartialMaskViewInput,
    PartialOpticsViewInput,
    PartialReferenceViewInput,
    PartialRGBViewInput,
    PartialROIViewInput,
    PartialScaleViewInput,
    PartialTimepointViewInput,
)


class Views(TypedDict, total=False):
    """What may be said about an image when it is made, as upstream names it."""

    dataset: str | int | DatasetFields | Named | None
    tags: Sequence[str] | None
    channel_views: Sequence[PartialChannelViewInput] | None
    transformation_views: Sequence[PartialAffineTransformationViewInput] | None
    acquisition_views: Sequence[PartialAcquisitionViewInput] | None
    mask_views: Sequence[PartialMaskViewInput] | None
    reference_views: Sequence[PartialReferenceViewInput] | None
    instance_mask_views: Sequence[PartialInstanceMaskViewInput] | None
    rgb_views: Sequence[PartialRGBViewInput] | None
    timepoint_views: Sequence[PartialTimepointViewInput] | None
    optics_views: Sequence[PartialOpticsViewInput] | None
    scale_views: Sequence[PartialScaleViewInput] | None
    roi_views: Sequence[PartialROIViewInput] | None
    file_views: Sequence[PartialFileViewInput] | None
    derived_views: Sequence[PartialDerivedViewInput] | None
    lightpath_views: Sequence[PartialLightpathViewInput] | None


_KNOWN = frozenset(Views.__annotations__)


async def _from_array_like(array: Any, name: str, views: Views) -> Image:
    app = context.current()
    values = _checked(name, views)
    return await _upload(app, five_d(array), name, values)


async def _upload(app: context.AppLike, array: FiveD, name: str, values: dict[str, Any]) -> Image:
    # A mean of labels is the label of something else.
    labels = bool(values.get("mask_views") or values.get("instance_mask_views"))
    return await upload(app, array, name, Image, "nearest" if labels else "mean", values)


def _checked(name: Any, views: Views) -> dict[str, Any]:
    if not isinstance(name, str) or not name.strip():
        raise ArgumentError("An image needs a name that is not empty: `from_xarray(array, name=…)`.")
    values: dict[str, Any] = dict(views)
    unknown = sorted(set(values) - _KNOWN)
    if unknown:
        raise ArgumentError(
            f"Nothing about an image is called {', '.join(unknown)}. What can be said: {', '.join(sorted(_KNOWN))}."
        )
    for key, value in values.items():
        if key.endswith("_views") and value is not None and not isinstance(value, list | tuple):
            raise ArgumentError(f"{key} is a list of views; this is {type(value).__name__}. Write `{key}=[…]`.")
    dataset = values.get("dataset")
    if dataset is not None:
        values["dataset"] = str(getattr(dataset, "id", dataset))
    return values


async def _from_xarray(
    array: Any, name: str, pixel_size: PixelSize | None, channels: Sequence[Any] | None, views: Views
) -> Image:
    app = context.current()
    values = _checked(name, views)
    pixels = five_d(array)
    if not values.get("transformation_views"):
        transformation = transformation_from(pixels.labelled, pixel_size, pixels.shape)
        values["transformation_views"] = None if transformation is None else [transformation]
    elif pixel_size is not None:
        raise ArgumentError("pixel_size and transformation_views say the same thing. Give one of them.")
    if not values.get("channel_views"):
        values["channel_views"] = channels_from(pixels.labelled, channels, pixels.shape[0])
    elif channels is not None:
        raise ArgumentError("channels and channel_views say the same thing. Give one of them.")
    if not values.get("timepoint_views"):
        values["timepoint_views"] = times_from(pixels.labelled, pixels.shape[1])
    return await _upload(app, pixels, name, values)


def from_array_like(array: Any, name: str, **views: Unpack[Views]) -> Image:
    """Make an image of an array, as upstream's function of this name does.

    Parameters
    ----------
    array
        xarray.DataArray with dims out of c, t, z, y, x, or a numpy or dask array of 2 to 5 dimensions, which get the
        last of these names. Bool, integers or floats. A dask array is computed block by block as it is sent.
    name
        Of the image.
    **views
        What is known about it: see `Views`.

    Raises
    ------
    DimsError
        If the array is no image; nothing was sent.
    UploadError
        If the pixels could not be written; no image was made.
    """
    return bridge.sync(_from_array_like(array, name, views))


async def afrom_array_like(array: Any, name: str, **views: Unpack[Views]) -> Image:
    """Make an image of an array; see `from_array_like`."""
    return await bridge.on_loop(_from_array_like(array, name, views))


def from_xarray(
    array: Any,
    name: str,
    *,
    pixel_size: PixelSize | None = None,
    channels: Sequence[Any] | None = None,
    **views: Unpack[Views],
) -> Image:
    """Make an image of a labelled array, with what its labels say.

    Parameters
    ----------
    array
        xarray.DataArray with dims out of c, t, z, y, x (a numpy or dask array is taken as well, see
        `from_array_like`). Bool, integers or floats. Coordinates x, y, z with ``units`` of length become the pixel
        size, t with a unit of time the times, text along c the names of the channels. A dask array is computed block
        by block as it is sent, each block once.
    name
        Of the image.
    pixel_size
        Micrometres per pixel, ``{"x": 0.1, "y": 0.1, "z": 0.3}``, or one number for x and y; lengths with a unit
        (``"65 nm"``) are taken as well. Wins over coordinates.
    channels
        One per channel: its name, or a mapping with ``name``, ``emission_wavelength``, ``excitation_wavelength``.
        Wins over coordinates.
    **views
        What else is known about it: see `Views`.

    Returns
    -------
    Image
        With a pyramid below its pixels.

    Raises
    ------
    DimsError
        If the array is no image; nothing was sent.
    ArgumentError
        If what is said about it makes no sense; nothing was sent.
    UploadError
        If the pixels could not be written; no image was made.
    """
    return bridge.sync(_from_xarray(array, name, pixel_size, channels, views))


async def afrom_xarray(
    array: Any,
    name: str,
    *,
    pixel_size: PixelSize | None = None,
    channels: Sequence[Any] | None = None,
    **views: Unpack[Views],
) -> Image:
    """Make an image of a labelled array; see `from_xarray`."""
    return await bridge.on_loop(_from_xarray(array, name, pixel_size, channels, views))
