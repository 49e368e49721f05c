"""Images: made of arrays, found again, read lazily, shown as pictures."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_arkitekt.mikro._counted import bytes_read
    from jupyter_arkitekt.mikro._datasets import (
        Dataset,
        acreate_dataset,
        aget_dataset,
        create_dataset,
        get_dataset,
    )
    from jupyter_arkitekt.mikro._finding import (
        aget_image,
        aget_random_image,
        aimages,
        get_image,
        get_random_image,
        images,
    )
    from jupyter_arkitekt.mikro._image import Image
    from jupyter_arkitekt.mikro._list import ImageList
    from jupyter_arkitekt.mikro._making import (
        Views,
        afrom_array_like,
        afrom_xarray,
        from_array_like,
        from_xarray,
    )
    from jupyter_arkitekt.mikro._picture import Picture
    from jupyter_arkitekt.models.mikro import (
        PartialAcquisitionViewInput,
        PartialAffineTransformationViewInput,
        PartialChannelViewInput,
        PartialDerivedViewInput,
        PartialFileViewInput,
        PartialInstanceMaskViewInput,
        PartialLightpathViewInput,
        PartialMaskViewInput,
        PartialOpticsViewInput,
        PartialReferenceViewInput,
        PartialRGBViewInput,
        PartialROIViewInput,
        PartialScaleViewInput,
        PartialTimepointViewInput,
    )

__all__ = [
    "Dataset",
    "Image",
    "ImageList",
    "PartialAcquisitionViewInput",
    "PartialAffineTransformationViewInput",
    "PartialChannelViewInput",
    "PartialDerivedViewInput",
    "PartialFileViewInput",
    "PartialInstanceMaskViewInput",
    "PartialLightpathViewInput",
    "PartialMaskViewInput",
    "PartialOpticsViewInput",
    "PartialRGBViewInput",
    "PartialROIViewInput",
    "PartialReferenceViewInput",
    "PartialScaleViewInput",
    "PartialTimepointViewInput",
    "Picture",
    "Views",
    "acreate_dataset",
    "afrom_array_like",
    "afrom_xarray",
    "aget_dataset",
    "aget_image",
    "aget_random_image",
    "aimages",
    "bytes_read",
    "create_dataset",
    "from_array_like",
    "from_xarray",
    "get_dataset",
    "get_image",
    "get_random_image",
    "images",
]

_ROOMS = {
    "_counted": ("bytes_read",),
    "_datasets": ("Dataset", "acreate_dataset", "aget_dataset", "create_dataset", "get_dataset"),
    "_finding": ("aget_image", "aget_random_image", "aimages", "get_image", "get_random_image", "images"),
    "_image": ("Image",),
    "_list": ("ImageList",),
    "_making": ("Views", "afrom_array_like", "afrom_xarray", "from_array_like", "from_xarray"),
    "_picture": ("Picture",),
}
_HOMES = {name: f"{__name__}.{room}" for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load what `name` needs on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "jupyter_arkitekt.models.mikro")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
