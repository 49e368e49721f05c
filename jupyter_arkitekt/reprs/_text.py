"""Faces as text: no line is longer than 120 signs, the first one says enough by itself."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_arkitekt.reprs import _words as words
from jupyter_arkitekt.reprs._facts import ImageFacts

#: Images of a list that are shown.
MOST_ROWS = 20


def image_line(facts: ImageFacts) -> str:
    """Tell an image in one line of at most 120 signs."""
    head = f"Image {words.shorten(words.plain(facts.id), 20)} "
    tail = f", {', '.join(part for part in (words.sizes(facts), words.data(facts)) if part)}"
    name = words.shorten(words.plain(facts.name), max(10, words.LINE - len(head) - len(tail) - 2))
    return words.shorten(f"{head}'{name}'{tail}", words.LINE)


def image_text(facts: ImageFacts) -> str:
    """Tell all facts of an image, the same as its HTML."""
    lines = [image_line(facts)]
    told = words.rows(facts)
    channels = _channels(facts)
    if channels:
        told.append(("Channels", channels))
    picture = ", ".join(part for part in (words.shown(facts), words.read(facts)) if part)
    if picture:
        told.append(("Picture", picture))
    elif facts.no_picture:
        told.append(("Picture", f"none: {words.plain(facts.no_picture)}"))
    lines += [words.shorten(f"  {label + ':':<14}{value}", words.LINE) for label, value in told]
    return "\n".join(lines)


def _channels(facts: ImageFacts) -> str:
    names = [
        words.channel(channel) + (f" {words.plain(channel.colour_name)}" if channel.colour_name else "")
        for channel in facts.channels[: words.MOST]
    ]
    if len(facts.channels) > words.MOST:
        names.append(words.more(len(facts.channels) - words.MOST, "channel"))
    return ", ".join(names)


def images_text(images: Sequence[ImageFacts]) -> str:
    """Tell a list of images, one per line."""
    if not images:
        return "No images"
    lines = [words.counted("image", len(images))]
    lines += [f"  {words.shorten(image_line(facts), words.LINE - 2)}" for facts in images[:MOST_ROWS]]
    if len(images) > MOST_ROWS:
        lines.append(f"  {words.more(len(images) - MOST_ROWS, 'image')}")
    return "\n".join(lines)
