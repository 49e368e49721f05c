"""A distribution of upstream that owns the import name ``arkitekt`` as well: the two overwrite each other's files."""

from __future__ import annotations

import importlib.metadata

#: Names of such distributions.
_SAME_NAME = ("arkitekt",)


def advice() -> str | None:
    """Return what is wrong and how to mend it, ``None`` when nothing is."""
    for name in _SAME_NAME:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        return (
            f"{name} {version} is installed beside jupyter-arkitekt and owns the import name `arkitekt` too, so parts of "
            f"either may be missing. Run `pip uninstall {name}`, then "
            "`pip install --force-reinstall --no-deps jupyter-arkitekt`."
        )
    return None
