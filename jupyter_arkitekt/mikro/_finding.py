"""Doors to images that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from typing_extensions import TypeVar

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.errors import ArgumentError, NotFoundError, redact
from jupyter_arkitekt.mikro._image import Image
from jupyter_arkitekt.mikro._list import ImageList

M = TypeVar("M", bound=Image, default=Image)

#: Images that `images` returns when nobody says how many.
LIMIT = 50


async def _get_image(id: str | int, model: type[M]) -> M:  # noqa: A002 - what it is called everywhere
    app = context.current()
    wanted = str(id).strip()
    if not wanted:
        raise ArgumentError("An image's id is empty. `images()` lists the images that there are.")
    try:
        image: M = await app.service("mikro").query("image", model, id=wanted)
    except NotFoundError as error:
        raise NotFoundError(
            f"There is no image {wanted!r} at {redact(app.url)}. `images()` lists the newest ones, "
            '`images(search="…")` those with a name.',
            status=error.status,
            path=error.path,
            detail=error.detail,
        ) from error
    return image


def get_image(id: str | int, *, model: type[M] | None = None) -> M:  # noqa: A002 - what it is called everywhere
    """Return one image.

    Parameters
    ----------
    id
        As the server shows it.
    model
        Subclass of `Image` that asks for more.

    Raises
    ------
    NotFoundError
        If there is no such image.
    """
    return bridge.sync(_get_image(id, model or cast("type[M]", Image)))


async def aget_image(id: str | int, *, model: type[M] | None = None) -> M:  # noqa: A002 - what it is called everywhere
    """Return one image; see `get_image`."""
    return await bridge.on_loop(_get_image(id, model or cast("type[M]", Image)))


async def _get_random_image(model: type[M]) -> M:
    app = context.current()
    try:
        image: M = await app.service("mikro").query("randomImage", model)
    except NotFoundError as error:
        raise NotFoundError(
            f"There is no image at {redact(app.url)} yet. `from_xarray(array, name=…)` makes the first one.",
            status=error.status,
            path=error.path,
            detail=error.detail,
        ) from error
    return image


def get_random_image(*, model: type[M] | None = None) -> M:
    """Return any image.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    return bridge.sync(_get_random_image(model or cast("type[M]", Image)))


async def aget_random_image(*, model: type[M] | None = None) -> M:
    """Return any image; see `get_random_image`."""
    return await bridge.on_loop(_get_random_image(model or cast("type[M]", Image)))


async def _images(
    search: str | None,
    ids: Sequence[str | int] | None,
    dataset: str | int | None,
    tags: Sequence[str] | None,
    filter: Mapping[str, Any] | None,  # noqa: A002 - upstream's name
    limit: int | None,
    offset: int,
    model: type[M],
) -> ImageList[M]:
    if offset < 0 or (limit is not None and limit < 0):
        raise ArgumentError(f"limit {limit} and offset {offset} have to be 0 or more.")
    app = context.current()
    wanted: dict[str, Any] = dict(filter or {})
    if search:
        # By name on every deployment; "search" means full text on some of them, which does not find parts of words.
        wanted["name"] = {"iContains": search}
    if ids is not None:
        wanted["ids"] = [str(id_) for id_ in ids]
    if dataset is not None:
        wanted["dataset"] = {"ids": [str(dataset)]}
    if tags:
        wanted["tags"] = [tags] if isinstance(tags, str) else list(tags)
    arguments: dict[str, Any] = {"filters": wanted or None, "pagination": {"offset": offset, "limit": limit}}
    if limit is None:
        arguments["pagination"] = {"offset": offset, "limit": 2**31 - 1}
    found: list[M] = await app.service("mikro").query(
        "images",
        list[model],  # type: ignore[valid-type]  # a model of the caller's
        ordering=[{"createdAt": "DESC"}, {"id": "DESC"}],
        **arguments,
    )
    return ImageList(found)


def images(
    search: str | None = None,
    *,
    ids: Sequence[str | int] | None = None,
    dataset: str | int | None = None,
    tags: Sequence[str] | None = None,
    filter: Mapping[str, Any] | None = None,  # noqa: A002 - upstream's name
    limit: int | None = LIMIT,
    offset: int = 0,
    model: type[M] | None = None,
) -> ImageList[M]:
    """List images, newest first.

    Parameters
    ----------
    search
        Part of the name, upper and lower case alike.
    ids, tags
        Images with these.
    dataset
        Images in the dataset with this id.
    filter
        Further conditions as the wire's ``ImageFilter`` has them.
    limit, offset
        How many, and how many before them are left out. ``limit=None`` for all.
    model
        Subclass of `Image` that asks for more.

    Returns
    -------
    ImageList
        A list that shows itself as a table.
    """
    return bridge.sync(_images(search, ids, dataset, tags, filter, limit, offset, model or cast("type[M]", Image)))


async def aimages(
    search: str | None = None,
    *,
    ids: Sequence[str | int] | None = None,
    dataset: str | int | None = None,
    tags: Sequence[str] | None = None,
    filter: Mapping[str, Any] | None = None,  # noqa: A002 - upstream's name
    limit: int | None = LIMIT,
    offset: int = 0,
    model: type[M] | None = None,
) -> ImageList[M]:
    """List images, newest first; see `images`."""
    return await bridge.on_loop(
        _images(search, ids, dataset, tags, filter, limit, offset, model or cast("type[M]", Image))
    )
