"""Arrays to pictures: pyramids, contrast, colours, scale bars, PNG. Pure functions, no I/O."""

from __future__ import annotations

from jupyter_arkitekt.imaging._choice import choose_level, choose_within
from jupyter_arkitekt.imaging._colour import default_colour, lookup_table, swatch
from jupyter_arkitekt.imaging._composite import ChannelLook, composite, is_true_colour, middle, true_colour
from jupyter_arkitekt.imaging._contrast import contrast_limits, stretch
from jupyter_arkitekt.imaging._png import encode_png, enlarge, shrink
from jupyter_arkitekt.imaging._pyramid import Level, Method, factors, pyramid_levels, reduce_block
from jupyter_arkitekt.imaging._scalebar import ScaleBar, draw_scale_bar, format_length, scale_bar

__all__ = [
    "ChannelLook",
    "Level",
    "Method",
    "ScaleBar",
    "choose_level",
    "choose_within",
    "composite",
    "contrast_limits",
    "default_colour",
    "draw_scale_bar",
    "encode_png",
    "enlarge",
    "factors",
    "format_length",
    "is_true_colour",
    "lookup_table",
    "middle",
    "pyramid_levels",
    "reduce_block",
    "scale_bar",
    "shrink",
    "stretch",
    "swatch",
    "true_colour",
]
