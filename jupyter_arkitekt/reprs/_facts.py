"""What a face tells of an image or a list of them. Plain values: whoever has them need not be connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

RGB = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """One channel.

    Attributes
    ----------
    label
        Its name, or ``channel 0``.
    colour, colour_name
        How it is shown in the picture; ``None`` and "" when it is not.
    emission_nm, excitation_nm
        Wavelengths in nanometres.
    """

    label: str
    colour: RGB | None = None
    colour_name: str = ""
    emission_nm: float | None = None
    excitation_nm: float | None = None


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """The picture in a face.

    Attributes
    ----------
    png
        The picture.
    width, height
        In pixels.
    level, plane
        Which level it was read from, and its height and width.
    bytes_read
        Bytes that came over the network for it.
    z, t
        Indices of the plane and time point that it shows.
    part
        Whether it is the middle of the image only.
    bar
        Label of its scale bar.
    """

    png: bytes
    width: int
    height: int
    level: int
    plane: tuple[int, int]
    bytes_read: int
    z: int = 0
    t: int = 0
    part: bool = False
    bar: str | None = None


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image.

    Attributes
    ----------
    id, name
        As the server has them; anything may be in a name.
    sizes
        Length by dimension, in order; empty when the server does not tell.
    dtype
        ``None`` when the server does not tell.
    nbytes
        Bytes of all pixels of level 0.
    pixel_size
        Micrometres by dimension.
    duration
        Seconds from the first to the last time point.
    channels
        What is known of them, in order.
    origins
        Id and name of the images that this one was computed from.
    dataset, creator, created, tags
        As the server has them.
    picture
        The picture.
    no_picture
        Why there is none.
    """

    id: str
    name: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    dtype: str | None = None
    nbytes: int | None = None
    pixel_size: Mapping[str, float] | None = None
    duration: float | None = None
    channels: tuple[ChannelFacts, ...] = ()
    origins: tuple[tuple[str, str], ...] = ()
    dataset: str | None = None
    creator: str | None = None
    created: str | None = None
    tags: tuple[str, ...] = ()
    picture: PictureFacts | None = None
    no_picture: str | None = None
