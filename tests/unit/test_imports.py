"""What an import loads: the client no server, the server no notebook, and the names that people type nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

import arkitekt

_HEAVY = (
    "xarray",
    "dask",
    "zarr",
    "numpy",
    "ipywidgets",
    "anywidget",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "graphql",
    "httpx",
)


def _loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize("package", ["arkitekt", "jupyter_arkitekt"])
def test_an_import_loads_nothing_heavy_and_opens_nothing(package: str) -> None:
    code = (
        "import socket, builtins\n"
        "def refuse(*a, **k): raise AssertionError('a socket was opened')\n"
        f"socket.socket.connect = refuse\nimport {package}\n"
        "import threading; assert threading.active_count() == 1, threading.enumerate()"
    )
    assert not _loaded_by(code).intersection(_HEAVY)


def test_the_server_loads_no_client() -> None:
    loaded = _loaded_by("import jupyter_arkitekt.server._serve")
    assert not loaded.intersection({"ipywidgets", "IPython", "xarray", "dask", "zarr", "jupyter_arkitekt.app"})


def test_the_client_loads_no_server() -> None:
    loaded = _loaded_by(
        "import jupyter_arkitekt.app, jupyter_arkitekt.mikro, jupyter_arkitekt.rekuest\nfrom arkitekt import Image"
    )
    assert not {name for name in loaded if name.startswith(("jupyter_arkitekt.server", "sqlalchemy", "uvicorn"))}


def test_every_name_that_is_promised_is_there() -> None:
    missing = [name for name in arkitekt.__all__ if not hasattr(arkitekt, name)]
    assert not missing
    assert set(arkitekt.__all__) <= set(dir(arkitekt))
    with pytest.raises(AttributeError, match="has no name 'get_imgae'"):
        arkitekt.get_imgae  # noqa: B018
