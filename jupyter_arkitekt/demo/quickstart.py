"""Where the quickstart notebook is, and where a person works on it.

The notebook comes with the package; a person gets a copy in the data directory, so that neither an upgrade nor a
read-only installation costs them what they wrote. A copy that was not touched follows the package.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from jupyter_arkitekt.errors import ConfigError

NAME = "01-quickstart.ipynb"


def packaged() -> Path:
    """Return the notebook as it comes with the package, or with the checkout.

    Raises
    ------
    ConfigError
        If the installation lacks it.
    """
    package = Path(__file__).parent
    for place in (package / "notebooks" / NAME, package.parent.parent / "notebooks" / NAME):
        if place.is_file():
            return place
    raise ConfigError(f"This installation lacks {NAME}. Install jupyter-arkitekt again.")


def working_copy(data_dir: Path) -> Path:
    """Return the person's copy of the notebook below `data_dir`; made, or brought up to date while untouched."""
    folder = data_dir / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    copy, mark = folder / NAME, folder / f".{NAME}.sha256"
    source = packaged().read_bytes()
    known = mark.read_text(encoding="utf-8").strip() if mark.is_file() else ""
    if not copy.exists() or (known and hashlib.sha256(copy.read_bytes()).hexdigest() == known):
        copy.write_bytes(source)
        mark.write_text(hashlib.sha256(source).hexdigest(), encoding="utf-8")
    return copy
