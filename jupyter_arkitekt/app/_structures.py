"""Mikro's objects as structures of rekuest: the two do not know each other, they meet here."""

from __future__ import annotations

from functools import cache


@cache
def register_structures() -> None:
    """Let functions take and return images: on the wire an image is its id."""
    from jupyter_arkitekt.mikro import Image, aget_image
    from jupyter_arkitekt.rekuest import structures

    async def shrink(image: Image) -> str:
        return image.id

    structures.register(
        Image,
        "@mikro/image",
        shrink=shrink,
        expand=aget_image,
        search=(
            "query search($search: String, $values: [ID!]) { options: images(filters: {name: {contains: $search}, "
            "ids: $values}, pagination: {limit: 10}) { value: id label: name } }"
        ),
        ward="mikro",
    )
