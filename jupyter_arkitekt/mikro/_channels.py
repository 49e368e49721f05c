"""What the views of an image say about its channels, its pixel size and its times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jupyter_arkitekt.imaging import ChannelLook, default_colour
from jupyter_arkitekt.models.mikro import (
    AffineTransformationView,
    Box,
    ChannelView,
    DerivedView,
    RGBView,
    TimepointView,
)

#: Channels that one picture shows; more of them make mud.
MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Channel:
    """What is known of one channel.

    Attributes
    ----------
    index
        Position on the c axis.
    name
        As it was given, else ``None``.
    emission_nm, excitation_nm
        Wavelengths in nanometres.
    """

    index: int
    name: str | None = None
    emission_nm: float | None = None
    excitation_nm: float | None = None


def channels_of(views: Iterable[Box], count: int) -> list[Channel]:
    """Return what is known of each channel; the first view that says something wins."""
    found = [Channel(index) for index in range(count)]
    for view in views:
        if isinstance(view, ChannelView):
            for index in view.indices("c", count):
                known = found[index]
                found[index] = Channel(
                    index,
                    known.name or view.name or None,
                    known.emission_nm or view.emission_nm,
                    known.excitation_nm or view.excitation_nm,
                )
    return found


def looks_of(views: Iterable[Box], channels: Sequence[Channel]) -> list[ChannelLook]:
    """Return which channels a picture shows, and how.

    What is stored wins. What servers store by themselves, "viridis" for every channel and the first one active, is
    nobody's choice: a single channel is shown grey then, several in colours of their wavelengths.
    """
    count = len(channels)
    stored = [view for view in views if isinstance(view, RGBView)]
    if stored and not all(_is_automatic(view) for view in stored):
        looks: dict[int, ChannelLook] = {}
        for view in stored:
            if view.active:
                for index in view.indices("c", count):
                    looks.setdefault(index, _look(view, index))
        if looks:
            return [looks[index] for index in sorted(looks)][:MOST_SHOWN]
    return [
        ChannelLook(channel.index, default_colour(channel.index, count, channel.emission_nm))
        for channel in channels[:MOST_SHOWN]
    ]


def _is_automatic(view: RGBView) -> bool:
    return (
        view.color_map == "VIRIDIS"
        and view.contrast_limit_min is None
        and view.contrast_limit_max is None
        and view.gamma is None
    )


def _look(view: RGBView, index: int) -> ChannelLook:
    base = None
    if view.base_color and len(view.base_color) >= 3 and all(math.isfinite(part) for part in view.base_color):
        red, green, blue = (min(255, max(0, round(part))) for part in view.base_color[:3])
        base = (red, green, blue)
    return ChannelLook(
        index,
        view.color_map,
        base,
        _finite(view.contrast_limit_min),
        _finite(view.contrast_limit_max),
        view.gamma if view.gamma and math.isfinite(view.gamma) and view.gamma > 0 else 1.0,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def pixel_size_of(views: Iterable[Box]) -> dict[str, float] | None:
    """Return micrometres per pixel along x, y and z, ``None`` when nobody said."""
    for view in views:
        if isinstance(view, AffineTransformationView):
            matrix = view.affine_matrix
            if len(matrix) != 4 or any(len(row) != 4 for row in matrix):
                continue
            # The length of a column is the size of a step, also where the stage is turned.
            steps = [math.hypot(*(matrix[row][axis] for row in range(3))) for axis in range(3)]
            if all(math.isfinite(step) and step > 0 for step in steps):
                return dict(zip(("x", "y", "z"), steps, strict=True))
    return None


def origin_of(views: Iterable[Box]) -> dict[str, float]:
    """Return where the first pixel lies in micrometres along x, y and z."""
    for view in views:
        if isinstance(view, AffineTransformationView) and len(view.affine_matrix) == 4:
            last = [row[3] for row in view.affine_matrix[:3] if len(row) == 4]
            if len(last) == 3 and all(math.isfinite(part) for part in last):
                return dict(zip(("x", "y", "z"), last, strict=True))
    return {"x": 0.0, "y": 0.0, "z": 0.0}


def times_of(views: Iterable[Box], count: int) -> list[float] | None:
    """Return the seconds of each time point, ``None`` unless all are known."""
    times: list[float | None] = [None] * count
    for view in views:
        if isinstance(view, TimepointView) and view.t_min is not None and view.seconds is not None:
            for index in view.indices("t", count):
                times[index] = view.seconds
    known = [time for time in times if time is not None]
    return known if len(known) == count else None


def origins_of(views: Iterable[Box]) -> list[DerivedView]:
    """Return the views that name what the image was computed from."""
    return [view for view in views if isinstance(view, DerivedView)]
