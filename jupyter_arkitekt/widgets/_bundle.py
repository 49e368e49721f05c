"""Where the built half of a widget lies: ``static/`` is made from ``js/`` and comes with every wheel."""

from __future__ import annotations

from pathlib import Path

from jupyter_arkitekt.errors import ConfigError

STATIC = Path(__file__).parent / "static"


def bundled(name: str) -> Path:
    """Return the path of the bundled file `name`.

    Raises
    ------
    ConfigError
        If it was not built.
    """
    path = STATIC / name
    if not path.is_file():
        raise ConfigError(
            f"The widgets of this installation lack {name}. In a checkout run `npm ci && npm run build` in js/; "
            "otherwise install jupyter-arkitekt again."
        )
    return path
