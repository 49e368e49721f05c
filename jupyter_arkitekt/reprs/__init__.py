"""Facts to text and HTML. Pure functions: what they show was read before."""

from __future__ import annotations

from jupyter_arkitekt.reprs._facts import ChannelFacts, ImageFacts, PictureFacts
from jupyter_arkitekt.reprs._html import image_html, images_html
from jupyter_arkitekt.reprs._text import image_line, image_text, images_text
from jupyter_arkitekt.reprs._words import human_bytes, human_seconds, plain, shorten

__all__ = [
    "ChannelFacts",
    "ImageFacts",
    "PictureFacts",
    "human_bytes",
    "human_seconds",
    "image_html",
    "image_line",
    "image_text",
    "images_html",
    "images_text",
    "plain",
    "shorten",
]
