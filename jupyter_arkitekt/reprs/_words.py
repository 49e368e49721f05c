"""Facts to words: what text and HTML have in common."""

from __future__ import annotations

import unicodedata

from jupyter_arkitekt.imaging import format_length
from jupyter_arkitekt.reprs._facts import ChannelFacts, ImageFacts

#: Longest line of a text face.
LINE = 120
#: Things of one kind that are listed before "and … more".
MOST = 8


def plain(text: str) -> str:
    """Return text on one line: control signs and marks that turn the reading direction become visible or blank."""
    return "".join(
        " "
        if sign in "\n\r\t"
        else "\ufffd"
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        else sign
        for sign in text
    )


def shorten(text: str, room: int) -> str:
    """Cut text to `room` signs; the cut is seen."""
    return text if len(text) <= room else f"{text[: max(0, room - 1)]}…"


def human_bytes(count: int) -> str:
    """Write a number of bytes with three digits and a decimal unit: ``48.2 kB``."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB", "PB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.0f} {units[0]}" if units[0] == "B" or value >= 99.95 else f"{value:.3g} {units[0]}"


def human_seconds(seconds: float) -> str:
    """Write a duration: ``20 ms``, ``4.5 s``, ``12 min``."""
    for factor, unit in ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms")):
        if seconds >= factor * (2 if factor > 1 else 1):
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def counted(noun: str, count: int) -> str:
    """Write ``1 image``, ``2 images``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def more(count: int, noun: str) -> str:
    """Write what was left out: ``… and 38 more images``."""
    return f"… and {count} more {noun if count == 1 else noun + 's'}"


def sizes(facts: ImageFacts) -> str:
    """Write the dimensions: ``c 2 × t 1 × z 30 × y 2048 × x 2048``."""
    return " × ".join(f"{dim} {length}" for dim, length in facts.sizes.items()) or "size unknown"


def extent(facts: ImageFacts) -> str | None:
    """Write the physical size: ``1.33 mm × 1.33 mm × 15 µm, 650 nm per pixel``, or ``None`` when it is not known."""
    steps = facts.pixel_size
    if not steps or "x" not in steps or "y" not in steps or not facts.sizes:
        return None
    dims = ["x", "y"] + (["z"] if facts.sizes.get("z", 1) > 1 and "z" in steps else [])
    whole = " × ".join(format_length(steps[dim] * facts.sizes.get(dim, 1)) for dim in dims)
    if abs(steps["x"] - steps["y"]) <= 1e-6 * steps["x"]:
        pixel = f"{format_length(steps['x'])} per pixel"
    else:
        pixel = f"{format_length(steps['x'])} × {format_length(steps['y'])} per pixel"
    planes = f", {format_length(steps['z'])} between planes" if "z" in dims else ""
    return f"{whole} ({' × '.join(dims)}), {pixel}{planes}"


def data(facts: ImageFacts) -> str:
    """Write what the pixels are: ``uint16, 503 MB``."""
    return ", ".join(
        part for part in (facts.dtype, None if facts.nbytes is None else human_bytes(facts.nbytes)) if part
    )


def read(facts: ImageFacts) -> str | None:
    """Write what the picture cost: ``read 48 kB of 12 GB, level 3 (256 × 256)``."""
    picture = facts.picture
    if picture is None:
        return None
    whole = "" if facts.nbytes is None else f" of {human_bytes(facts.nbytes)}"
    return f"read {human_bytes(picture.bytes_read)}{whole}, level {picture.level} ({picture.plane[1]} × {picture.plane[0]})"


def shown(facts: ImageFacts) -> str | None:
    """Write which part the picture shows: ``plane 16 of 30``, counted from 1; ``None`` if it shows all there is."""
    picture = facts.picture
    if picture is None:
        return None
    parts = []
    if facts.sizes.get("z", 1) > 1:
        parts.append(f"plane {picture.z + 1} of {facts.sizes['z']}")
    if facts.sizes.get("t", 1) > 1:
        parts.append(f"time point {picture.t + 1} of {facts.sizes['t']}")
    in_it = sum(channel.colour is not None for channel in facts.channels)
    if facts.channels and in_it < len(facts.channels):
        parts.append(f"{in_it} of {len(facts.channels)} channels")
    if picture.part:
        parts.append("the middle only, it has no small level")
    return ", ".join(parts) or None


def channel(facts: ChannelFacts) -> str:
    """Write a channel without its colour: ``DAPI (405 → 460 nm)``."""
    if facts.excitation_nm and facts.emission_nm:
        light = f" ({facts.excitation_nm:.4g} → {facts.emission_nm:.4g} nm)"
    elif facts.emission_nm:
        light = f" ({facts.emission_nm:.4g} nm)"
    elif facts.excitation_nm:
        light = f" (excited at {facts.excitation_nm:.4g} nm)"
    else:
        light = ""
    return f"{plain(facts.label)}{light}"


def alt(facts: ImageFacts) -> str:
    """Write what somebody who cannot see the picture should hear."""
    parts = [f"Image {plain(facts.id)}, {plain(facts.name)}"]
    what = shown(facts)
    if what:
        parts.append(what)
    colours = [
        f"{plain(channel.label)} in {plain(channel.colour_name)}" for channel in facts.channels if channel.colour_name
    ]
    if len(colours) > 1:
        parts.append(", ".join(colours[:MOST]))
    if facts.picture is not None and facts.picture.bar:
        parts.append(f"scale bar {facts.picture.bar}")
    return "; ".join(parts)


def rows(facts: ImageFacts) -> list[tuple[str, str]]:
    """Return all further facts as label and words, the same for text and HTML; channels are told apart."""
    found: list[tuple[str, str]] = [("Size", sizes(facts))]
    physical = extent(facts)
    if physical:
        found.append(("Extent", physical))
    if facts.duration is not None:
        found.append(("Duration", human_seconds(facts.duration)))
    words = data(facts)
    if words:
        found.append(("Data", words))
    if facts.origins:
        names = [f"{plain(name)} (image {plain(id_)})" for id_, name in facts.origins[:MOST]]
        if len(facts.origins) > MOST:
            names.append(more(len(facts.origins) - MOST, "image"))
        found.append(("Derived from", ", ".join(names)))
    if facts.dataset:
        found.append(("Dataset", plain(facts.dataset)))
    made = " ".join(part for part in (facts.created, f"by {plain(facts.creator)}" if facts.creator else None) if part)
    if made:
        found.append(("Made", made))
    if facts.tags:
        tags = [plain(tag) for tag in facts.tags[:MOST]]
        if len(facts.tags) > MOST:
            tags.append(more(len(facts.tags) - MOST, "tag"))
        found.append(("Tags", ", ".join(tags)))
    return found
