"""Colours of channels: colour maps as the wire names them, and defaults from a wavelength."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RGB = tuple[int, int, int]

#: The plain colours among the colour maps of the wire (mikro's ``ColorMap``): black to this colour.
PLAIN: dict[str, RGB] = {
    "RED": (255, 0, 0),
    "GREEN": (0, 255, 0),
    "BLUE": (0, 0, 255),
    "CYAN": (0, 255, 255),
    "MAGENTA": (255, 0, 255),
    "YELLOW": (255, 255, 0),
    "WHITE": (255, 255, 255),
    "GREY": (255, 255, 255),
    "ORANGE": (255, 140, 0),
    "PURPLE": (150, 60, 255),
    "PINK": (255, 105, 180),
    "BROWN": (190, 120, 60),
}

#: The others, by their full name in the catalogue of ``cmap``.
_CATALOGUE = {
    "VIRIDIS": "bids:viridis",
    "PLASMA": "bids:plasma",
    "INFERNO": "bids:inferno",
    "MAGMA": "bids:magma",
    "RAINBOW": "yorick:rainbow",
    "SPECTRAL": "colorbrewer:spectral",
    "COOL": "matlab:cool",
    "WARM": "matlab:autumn",
}

#: Defaults where nothing is known: neighbours stay apart for colour-blind eyes as well.
PALETTE: tuple[str, ...] = ("GREEN", "MAGENTA", "CYAN", "YELLOW", "RED", "BLUE", "ORANGE", "PURPLE")

#: Lower ends of emission bands in nanometres and the customary colour of what shines there.
_BANDS = ((0.0, "BLUE"), (490.0, "GREEN"), (560.0, "YELLOW"), (590.0, "RED"), (650.0, "MAGENTA"))


def default_colour(index: int, count: int, emission_nm: float | None = None) -> str:
    """Return the colour map of a channel for which none is stored.

    Parameters
    ----------
    index, count
        Which channel of how many. A single channel without a wavelength is grey.
    emission_nm
        Wavelength of emission in nanometres, ``None`` when unknown.
    """
    if emission_nm is not None and emission_nm > 0:
        return next(name for start, name in reversed(_BANDS) if emission_nm >= start)
    return "GREY" if count == 1 else PALETTE[index % len(PALETTE)]


def swatch(colour_map: str, base: RGB | None = None) -> RGB:
    """Return one colour that stands for a colour map: its bright end, or the middle of a map of many colours."""
    if colour_map in _CATALOGUE:
        row = lookup_table(colour_map)[160]
        return int(row[0]), int(row[1]), int(row[2])
    return _bright_end(colour_map, base)


def lookup_table(colour_map: str, base: RGB | None = None) -> NDArray[np.uint8]:
    """Return the 256 colours of a colour map.

    Parameters
    ----------
    colour_map
        Name as on the wire (``VIRIDIS``, ``GREEN``, ``INTENSITY``, …). An unknown name is grey: newer servers may
        know more of them.
    base
        Bright end of ``INTENSITY``.

    Returns
    -------
    array
        (256, 3) uint8, read-only.
    """
    return _table(colour_map, base)


@lru_cache(maxsize=64)
def _table(colour_map: str, base: RGB | None) -> NDArray[np.uint8]:
    if colour_map in _CATALOGUE:
        from cmap import Colormap

        table = np.asarray(Colormap(_CATALOGUE[colour_map]).lut(256))[:, :3]
        table = np.rint(table * 255).astype(np.uint8)
    else:
        ramp = np.linspace(0.0, 1.0, 256)[:, None]
        if colour_map == "BLACK":  # bright ground, dark signal
            table = np.rint((1.0 - ramp) * np.array([[255.0, 255.0, 255.0]])).astype(np.uint8)
        else:
            table = np.rint(ramp * np.array([_bright_end(colour_map, base)], dtype=np.float64)).astype(np.uint8)
    table.setflags(write=False)
    return table


def _bright_end(colour_map: str, base: RGB | None) -> RGB:
    if colour_map == "INTENSITY" and base is not None:
        return base
    if colour_map == "BLACK":
        return (40, 40, 40)
    return PLAIN.get(colour_map, (255, 255, 255))
