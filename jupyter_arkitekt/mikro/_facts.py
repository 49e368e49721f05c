"""From an image to what its face tells; asks nobody."""

from __future__ import annotations

import math

import numpy as np

from jupyter_arkitekt.imaging import swatch
from jupyter_arkitekt.mikro._channels import channels_of, looks_of, origins_of, pixel_size_of, times_of
from jupyter_arkitekt.mikro._picture import Picture, remembered
from jupyter_arkitekt.models.mikro import DIMS, ImageFields
from jupyter_arkitekt.reprs import ChannelFacts, ImageFacts, PictureFacts


def facts_of(image: ImageFields, picture: Picture | None = None, no_picture: str | None = None) -> ImageFacts:
    """Return the facts of an image.

    Parameters
    ----------
    image
        As the server answered.
    picture, no_picture
        Its picture, or why there is none.
    """
    shape = tuple(image.store.shape or ())
    sizes = dict(zip(DIMS, shape, strict=True)) if len(shape) == 5 else {}
    times = times_of(image.views, sizes["t"]) if sizes else None
    return ImageFacts(
        id=image.id,
        name=image.name,
        sizes=sizes,
        dtype=image.store.dtype,
        nbytes=_nbytes(shape, image.store.dtype),
        pixel_size=pixel_size_of(image.views),
        duration=times[-1] - times[0] if times and len(times) > 1 else None,
        channels=_channels(image, sizes.get("c", 0), picture),
        origins=tuple((view.origin_image.id, view.origin_image.name or "") for view in origins_of(image.views)),
        dataset=image.dataset.name if image.dataset else None,
        creator=image.creator.preferred_username if image.creator else None,
        created=f"{image.created_at:%Y-%m-%d %H:%M}" if image.created_at else None,
        tags=tuple(image.tags),
        picture=_picture(picture),
        no_picture=no_picture,
    )


def row_of(image: ImageFields) -> ImageFacts:
    """Return the facts of an image in a list: its picture only if it has been made before."""
    return facts_of(image, remembered(image))


def _nbytes(shape: tuple[int, ...], dtype: str | None) -> int | None:
    if not shape or not dtype:
        return None
    try:
        return math.prod(shape) * np.dtype(dtype).itemsize
    except TypeError:
        return None


def _channels(image: ImageFields, count: int, picture: Picture | None) -> tuple[ChannelFacts, ...]:
    # A server may claim any number of channels; the face lists a few.
    channels = channels_of(image.views, min(count, 256))
    looks = {look.index: look for look in (picture.looks if picture else looks_of(image.views, channels))}
    if len(channels) == 1 and not channels[0].name and not channels[0].emission_nm and not channels[0].excitation_nm:
        return ()
    found = []
    for channel in channels:
        look = looks.get(channel.index)
        base = look.base if look is not None and look.colour_map == "INTENSITY" else None
        name = "" if look is None else f"rgb({base[0]}, {base[1]}, {base[2]})" if base else look.colour_map.lower()
        found.append(
            ChannelFacts(
                channel.name or f"channel {channel.index}",
                swatch(look.colour_map, look.base) if look is not None else None,
                name,
                channel.emission_nm,
                channel.excitation_nm,
            )
        )
    return tuple(found)


def _picture(picture: Picture | None) -> PictureFacts | None:
    if picture is None:
        return None
    return PictureFacts(
        picture.png,
        picture.width,
        picture.height,
        picture.level,
        picture.plane,
        picture.bytes_read,
        picture.z,
        picture.t,
        picture.part,
        picture.bar,
    )
