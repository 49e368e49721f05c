"""Doors to datasets: folders of images."""

from __future__ import annotations

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.errors import NotFoundError, redact
from jupyter_arkitekt.models.mikro import DatasetFields
from jupyter_arkitekt.reprs import plain, shorten


class Dataset(DatasetFields):
    """A dataset. Pass it, or its id, as ``dataset=`` when an image is made or listed."""

    def __repr__(self) -> str:
        return f"Dataset {self.id} '{shorten(plain(self.name), 80)}'"

    def __str__(self) -> str:
        return repr(self)


async def _create_dataset(name: str, parent: str | int | None) -> Dataset:
    given = {"name": name, "parent": None if parent is None else str(parent)}
    dataset: Dataset = await context.current().service("mikro").mutate("createDataset", Dataset, input=given)
    return dataset


def create_dataset(name: str, *, parent: str | int | None = None) -> Dataset:
    """Make a dataset, inside the one with the id `parent` if that is given."""
    return bridge.sync(_create_dataset(name, parent))


async def acreate_dataset(name: str, *, parent: str | int | None = None) -> Dataset:
    """Make a dataset; see `create_dataset`."""
    return await bridge.on_loop(_create_dataset(name, parent))


async def _get_dataset(id: str | int) -> Dataset:  # noqa: A002 - what it is called everywhere
    app = context.current()
    try:
        dataset: Dataset = await app.service("mikro").query("dataset", Dataset, id=str(id))
    except NotFoundError as error:
        raise NotFoundError(
            f"There is no dataset {str(id)!r} at {redact(app.url)}. An image says in which one it is: `image.dataset`.",
            status=error.status,
            path=error.path,
            detail=error.detail,
        ) from error
    return dataset


def get_dataset(id: str | int) -> Dataset:  # noqa: A002 - what it is called everywhere
    """Return one dataset.

    Raises
    ------
    NotFoundError
        If there is no such dataset.
    """
    return bridge.sync(_get_dataset(id))


async def aget_dataset(id: str | int) -> Dataset:  # noqa: A002 - what it is called everywhere
    """Return one dataset; see `get_dataset`."""
    return await bridge.on_loop(_get_dataset(id))
