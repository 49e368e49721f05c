"""An image: facts from the server, pixels that stay in the object store until they are needed."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.errors import ArkitektError, ImageError
from jupyter_arkitekt.mikro._access import ArrayPlace
from jupyter_arkitekt.mikro._facts import facts_of
from jupyter_arkitekt.mikro._picture import SIZE, Picture, picture_of, remembered, scaled_levels
from jupyter_arkitekt.mikro._stored import StoredLevel, announced_levels, check_against, open_array, open_level
from jupyter_arkitekt.models.mikro import ImageFields
from jupyter_arkitekt.reprs import image_html, image_line, image_text

if TYPE_CHECKING:
    import xarray as xr

_logger = logging.getLogger(__name__)

#: Seconds that a face waits for its picture.
PATIENCE = 1.0


class Image(ImageFields):
    """An image of a deployment. Subclass it to ask the server for more: a field is a part of the query.

    Attributes
    ----------
    id
        As the server has it.
    name
        As the server has it; anything may be in it.
    store
        Where the pixels lie.
    views
        What is known of parts of the image: channels, pixel size, times, colours, origin.
    dataset, creator, created_at, tags
        As the server has them.
    """

    _app: AppLike | None = PrivateAttr(default=None)
    _place: ArrayPlace | None = PrivateAttr(default=None)
    _levels: list[StoredLevel] | None = PrivateAttr(default=None)
    _data: dict[int, Any] = PrivateAttr(default_factory=dict)

    def model_post_init(self, context_: Any, /) -> None:
        """Remember the app that this image came through: its id means nothing to another one."""
        super().model_post_init(context_)
        self._app = context.current_or_none()

    @property
    def data(self) -> xr.DataArray:
        """The pixels, lazy.

        xarray.DataArray on a dask array; dims c, t, z, y, x; dtype as it was uploaded. Coordinates x, y, z in µm, t in
        s and c by name, where these are known. Nothing is read before it is computed; the graph pickles and renews its
        own credentials.
        """
        return self.level(0)

    def level(self, n: int) -> xr.DataArray:
        """Return the pixels of one level of the pyramid, lazy, as in `data`; 0 is the image itself.

        Raises
        ------
        IndexError
            If there are not as many.
        """
        return self._data[n] if n in self._data else bridge.sync(self._level(n))

    async def alevel(self, n: int = 0) -> xr.DataArray:
        """Return the pixels of one level; see `level`."""
        return await bridge.on_loop(self._level(n))

    @property
    def levels(self) -> list[tuple[int, ...]]:
        """Sizes of c, t, z, y, x of each level, the image itself first."""
        return [level.shape for level in bridge.sync(self._open())]

    def thumbnail(self, size: int = SIZE) -> bytes:
        """Return a picture as PNG.

        Parameters
        ----------
        size
            The smallest level whose longer side has at least this many pixels is read, or the largest there is.

        Returns
        -------
        bytes
            Middle plane, first time point, channels in their colours; with a scale bar where the pixel size is known.
            Made once per process.

        Raises
        ------
        ImageError
            If there are no pixels that can be read, or no level that is small enough for a preview.
        """
        return bridge.sync(self._picture(size)).png

    async def athumbnail(self, size: int = SIZE) -> bytes:
        """Return a picture as PNG; see `thumbnail`."""
        return (await bridge.on_loop(self._picture(size))).png

    def picture(self, size: int = SIZE) -> Picture:
        """Return the picture together with what it took to make it (level, bytes read); see `thumbnail`."""
        return bridge.sync(self._picture(size))

    def __repr__(self) -> str:
        return image_line(facts_of(self))

    def __str__(self) -> str:
        return repr(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return text, HTML and PNG. Never raises, and waits one second for the picture at most."""
        picture, reason = self._picture_in_time()
        facts = facts_of(self, picture, reason)
        bundle: dict[str, Any] = {"text/plain": image_text(facts), "text/html": image_html(facts)}
        if picture is not None:
            bundle["image/png"] = picture.png
        return {
            kind: value
            for kind, value in bundle.items()
            if (not include or kind in include) and kind not in (exclude or ())
        }

    def __getstate__(self) -> dict[Any, Any]:
        state = dict(super().__getstate__())
        # What is open stays here; the image finds its way again from where it arrives.
        state["__pydantic_private__"] = {"_app": None, "_place": None, "_levels": None, "_data": {}}
        return state

    async def _open(self) -> list[StoredLevel]:
        if self._levels is None:
            app, place = self._way()
            array = await open_array(place)
            check_against(array, self.store)
            levels = announced_levels(place, array)
            if len(levels) == 1:
                levels += scaled_levels(self.derived_scale_views, levels[0].shape, app)
            self._levels = levels
        return self._levels

    async def _level(self, n: int) -> xr.DataArray:
        if n in self._data:
            found: xr.DataArray = self._data[n]
            return found
        levels = await self._open()
        if not 0 <= n < len(levels):
            raise IndexError(f"Image {self.id} has the levels 0 to {len(levels) - 1}, there is no level {n}.")
        level = levels[n]
        array = await open_level(level)

        def build() -> xr.DataArray:
            # xarray and dask take their time when they are loaded first; not on the loop that others wait for.
            from jupyter_arkitekt.mikro._labelled import labelled
            from jupyter_arkitekt.mikro._lazy import lazy

            return labelled(self, lazy(level.place, level.path, array), level.scale)

        self._data[n] = await asyncio.to_thread(build)
        return await self._level(n)

    def _way(self) -> tuple[AppLike, ArrayPlace]:
        if self._app is None:
            self._app = context.current()
        if self._place is None:
            self._place = ArrayPlace(self.store, self._app)
        return self._app, self._place

    async def _picture(self, size: int = SIZE) -> Picture:
        app, place = self._way()
        return await picture_of(self, place, app, size)

    def _picture_in_time(self) -> tuple[Picture | None, str | None]:
        """Return the picture, or why there is none."""
        found = remembered(self)
        if found is not None:
            return found, None
        if threading.current_thread().name == bridge.THREAD_NAME:
            return None, "not read on the background loop"
        # Spawned, not awaited to its end: what comes too late for this face is there for the next one.
        coming = bridge.spawn(self._picture())
        try:
            return coming.result(PATIENCE), None
        except concurrent.futures.TimeoutError:
            return None, f"the pixels did not come within {PATIENCE:g} s. Show the image again for another try."
        except concurrent.futures.CancelledError:
            return None, "reading was cancelled"
        except ImageError as error:
            return None, str(error)
        except (ArkitektError, OSError) as error:
            return None, str(error).split(". ")[0]
        except Exception as error:
            # IPython would swallow it and show a bare object; the log has the whole of it.
            _logger.exception("The picture of image %s could not be made", self.id)
            return None, f"it could not be made ({type(error).__name__})"
