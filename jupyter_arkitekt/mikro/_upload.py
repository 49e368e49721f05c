"""Making an image: ask for a place, write the pixels, say that they are there, make the image of them.

An image exists only after the last step, so whatever fails before leaves none behind; the place is given back.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.errors import ArkitektError, UploadError, redact
from jupyter_arkitekt.imaging import Method
from jupyter_arkitekt.mikro._access import credential
from jupyter_arkitekt.mikro._dims import FiveD
from jupyter_arkitekt.mikro._heavy import load_zarr
from jupyter_arkitekt.mikro._source import source_of
from jupyter_arkitekt.mikro._vocabulary import spoken
from jupyter_arkitekt.mikro._write import write_image
from jupyter_arkitekt.models.mikro import ZarrStore, ZarrUploadGrant
from jupyter_arkitekt.transport import store as open_store

if TYPE_CHECKING:
    from obstore.store import S3Credential, S3Store

M = TypeVar("M")

_logger = logging.getLogger(__name__)

#: Seconds that giving a place back may take; somebody waits for the error.
GIVE_BACK = 5.0


async def upload(app: AppLike, array: FiveD, name: str, model: type[M], method: Method, given: dict[str, Any]) -> M:
    """Write the pixels of `array` and return the image made of them as `model`.

    Parameters
    ----------
    app
        App that makes it.
    array
        Pixels.
    name, given
        Fields of the wire's ``FromArrayLikeInput``, snake_case.
    method
        How the pyramid is made.

    Raises
    ------
    UploadError
        If the pixels could not be written, or their source could not be computed; no image was made.
    ServerError
        If the server refused to make the image.
    """
    await load_zarr()
    mikro = app.service("mikro")
    values = await spoken(mikro, given)
    grant = await mikro.mutate("requestZarrUpload", ZarrUploadGrant, input={})
    finished = False
    try:
        await _write(app, grant, array, name, method)
        await mikro.mutate("finishZarrUpload", ZarrStore, input={"storeId": grant.store, "valid": True})
        image: M = await mikro.mutate("fromArrayLike", model, input={"array": grant.store, "name": name, **values})
        finished = True
    finally:
        if not finished:
            await _give_back(app, grant.store)
    return image


async def _write(app: AppLike, grant: ZarrUploadGrant, array: FiveD, name: str, method: Method) -> None:
    endpoint = app.endpoint("s3")

    async def keys() -> S3Credential:
        return credential(grant, None)

    def objects(path: str) -> S3Store:
        return open_store(endpoint, keys, grant.bucket, f"{grant.key}/{path}" if path else grant.key)

    try:
        await write_image(source_of(array.pixels), array.shape, array.pixels.dtype, objects, method=method)
    except Exception as group:  # noqa: BLE001 - a source of pixels fails in its own ways; all of them are told
        error = _first(group)
        if isinstance(error, ArkitektError):
            raise error from None
        ours = _from_store(error)
        what = f"The pixels of {name!r} ({' × '.join(map(str, array.shape))} {array.pixels.dtype})"
        if ours:
            message = (
                f"{what} could not be written to {redact(endpoint)}: {_short(error)}. No image was made. Is the server "
                "still there, and is there room on its disk? Then try again."
            )
        else:
            message = (
                f"{what} could not be computed: {type(error).__name__}: {_short(error)}. No image was made. "
                "`array.compute()` shows where it fails."
            )
        raise UploadError(message) from error


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _from_store(error: BaseException) -> bool:
    from obstore.exceptions import BaseError
    from zarr.errors import BaseZarrError

    return isinstance(error, BaseError | BaseZarrError) or type(error).__module__.startswith("obstore")


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split("\n\nDebug source:")[0].split())
    return text if len(text) <= 300 else f"{text[:299]}…"


async def _give_back(app: AppLike, store: str) -> None:
    """Tell the server that nothing comes any more, also while being cancelled."""

    async def tell() -> None:
        async with asyncio.timeout(GIVE_BACK):
            await app.service("mikro").mutate("finishZarrUpload", ZarrStore, input={"storeId": store, "valid": False})

    telling = asyncio.get_running_loop().create_task(tell())
    try:
        await asyncio.shield(telling)
    except asyncio.CancelledError:
        await asyncio.wait([telling], timeout=GIVE_BACK)
        raise
    except (ArkitektError, OSError) as error:
        # What went wrong before is what the person has to know; servers sweep places that stay unfinished.
        _logger.info("The place of an upload that failed could not be given back: %s", error)
