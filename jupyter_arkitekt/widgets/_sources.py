"""Where the options of a picker come from: mikro's images, or the search that a port brings along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jupyter_arkitekt import context
from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.errors import NotFoundError
from jupyter_arkitekt.models.rekuest import ArgPort, SearchAssignWidget
from jupyter_arkitekt.widgets._picker import Option, Source

if TYPE_CHECKING:
    from jupyter_arkitekt.mikro import Image

IMAGE = "@mikro/image"

#: Options that a list shows.
LIMIT = 50

#: Pixels of a thumbnail's longer side: twice what the page shows, for dense screens.
THUMBNAIL = 192


def source_for(port: ArgPort, app: AppLike) -> Source | None:
    """Return where options for a structure's port come from, ``None`` when only an id can be given."""
    if port.identifier == IMAGE:
        return ImageSource(app)
    if isinstance(port.widget, SearchAssignWidget) and port.widget.query and port.widget.ward:
        noun = (port.identifier or "").rpartition("/")[2] or "thing"
        return SearchSource(app, port.widget, noun)
    return None


class ImageSource:
    """The images of a deployment, newest first, with their thumbnails."""

    noun = "image"

    def __init__(self, app: AppLike) -> None:
        self._app = app
        self._last: Image | None = None

    async def search(self, text: str) -> Sequence[Option]:
        """Return images whose name, or whose id, is `text`."""
        from jupyter_arkitekt.mikro import aimages  # a form without images does without the room for them

        with context.use(self._app):
            found: list[Image] = await aimages(search=text or None, limit=LIMIT)
        options = [image_option(image) for image in found]
        if text.isdigit() and all(option.id != text for option in options):
            named = await self.find(text)
            options = [named, *options] if named else options
        return options

    async def find(self, id: str) -> Option | None:  # noqa: A002 - what it is called everywhere
        """Return the image with that id."""
        from jupyter_arkitekt.mikro import aget_image

        with context.use(self._app):
            try:
                self._last = await aget_image(id)
            except NotFoundError:
                return None
        return image_option(self._last)

    async def picture(self, id: str) -> bytes | None:  # noqa: A002 - what it is called everywhere
        """Return the image's thumbnail."""
        image = self._last
        if image is None or image.id != id:
            return None
        with context.use(self._app):
            return await image.athumbnail(THUMBNAIL)


class SearchSource:
    """What the GraphQL query of a port's search widget finds in the service that the widget names."""

    def __init__(self, app: AppLike, widget: SearchAssignWidget, noun: str) -> None:
        self._app = app
        self._widget = widget
        self.noun = noun

    async def search(self, text: str) -> Sequence[Option]:
        """Return what the query finds for `text`."""
        return await self._ask({"search": text or None})

    async def find(self, id: str) -> Option | None:  # noqa: A002 - what it is called everywhere
        """Return the option with that id."""
        found = await self._ask({"values": [id]})
        return next((option for option in found if option.id == id), None)

    async def picture(self, id: str) -> bytes | None:  # noqa: A002, ARG002 - a search gives words only
        """Return nothing: a search gives words only."""
        return None

    async def _ask(self, variables: dict[str, Any]) -> list[Option]:
        data = await self._app.service(self._widget.ward).execute(self._widget.query, variables)
        rows = data.get("options") or []
        return [Option(str(row["value"]), str(row.get("label") or "")) for row in rows[:LIMIT]]


def image_option(image: Image) -> Option:
    """Return how an image stands in a list: its name, its size in pixels, its date."""
    shape = getattr(image.store, "shape", None) or ()
    size = " × ".join(str(length) for length in shape if length > 1)
    created = getattr(image, "created_at", None)
    day = created.strftime("%Y-%m-%d") if created else ""
    return Option(str(image.id), image.name or "", " · ".join(part for part in (size, day) if part))
