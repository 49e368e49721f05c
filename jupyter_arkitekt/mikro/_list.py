"""A list of images that shows itself as a table."""

from __future__ import annotations

from typing import Any, TypeVar

from jupyter_arkitekt.mikro._facts import row_of
from jupyter_arkitekt.mikro._image import Image
from jupyter_arkitekt.reprs import images_html, images_text

M = TypeVar("M", bound=Image)


class ImageList(list[M]):
    """A list like any other, with a face. Pictures are in it where they have been read before; none is read for it."""

    def __repr__(self) -> str:
        return images_text([row_of(image) for image in self])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        facts = [row_of(image) for image in self]
        bundle = {"text/plain": images_text(facts), "text/html": images_html(facts)}
        return {
            kind: value
            for kind, value in bundle.items()
            if (not include or kind in include) and kind not in (exclude or ())
        }
