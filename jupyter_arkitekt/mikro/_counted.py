"""A zarr store that knows how many bytes it has read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zarr.storage import ObjectStore, WrapperStore

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

    from jupyter_arkitekt.mikro._access import ArrayPlace


class Meter:
    """Bytes that all stores of one picture have read."""

    def __init__(self) -> None:
        self.bytes = 0


class CountedStore(WrapperStore[ObjectStore[Any]]):
    """Counts the bytes of every answer into `meter`, and into the sum of this process."""

    def __init__(self, store: ObjectStore[Any], meter: Meter) -> None:
        super().__init__(store)
        self._meter = meter

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Read an object, or a part of it."""
        found = await super().get(key, prototype, byte_range)
        if found is not None:
            self._meter.bytes += len(found)
            _all.bytes += len(found)
        return found


_all = Meter()


def counted(place: ArrayPlace, meter: Meter | None = None) -> CountedStore:
    """Return the store of what lies at `place`, counting into `meter`."""
    return CountedStore(ObjectStore(place.objects(), read_only=True), meter or Meter())


def bytes_read() -> int:
    """Return how many bytes of images this process has read from object stores, pixels and metadata."""
    return _all.bytes
