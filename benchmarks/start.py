"""Start-up: imports, the extension, the platform."""

from __future__ import annotations

import tempfile
import textwrap
from pathlib import Path

import httpx
import psutil

from benchmarks._rows import Row, in_process, median, running, upstream_python

_IMPORT = "import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
_EXTENSION = """
import os, time
from IPython.core.interactiveshell import InteractiveShell
os.environ["FAKTS_URL"] = {url!r}
os.environ["ARKITEKT_DATA_DIR"] = {folder!r}
if {token!r}:
    os.environ["FAKTS_REDEEM_TOKEN"] = {token!r}
shell = InteractiveShell.instance()
t = time.perf_counter()
shell.run_line_magic("load_ext", "arkitekt")
print(time.perf_counter() - t)
"""
_BARE = """
import asyncio, socket, subprocess, sys, time
code = '''
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
app = Starlette(routes=[Route("/ht", lambda r: PlainTextResponse("ok"))])
uvicorn.run(app, port={port}, log_level="critical")
'''
t = time.perf_counter()
p = subprocess.Popen([sys.executable, "-c", code])
while True:
    try:
        socket.create_connection(("127.0.0.1", {port}), 0.1).close()
        break
    except OSError:
        time.sleep(0.005)
took = time.perf_counter() - t
import httpx
import psutil
rss = psutil.Process(p.pid).memory_info().rss / 1e6
p.kill(); p.wait()
print(rss, took)
"""


def rows() -> list[Row]:
    """Measure."""
    ours = median(lambda: in_process(_IMPORT.format(module="arkitekt")))
    python = upstream_python()
    upstream = None
    if python is not None:
        upstream = median(lambda: in_process(_IMPORT.format(module="mikro_next.api.schema"), python), 3)
    beside = f"upstream's `import mikro_next.api.schema`: {upstream:.2f} s" if upstream else "upstream is not installed"
    found = [Row("`import arkitekt`", f"{ours * 1000:.0f} ms", beside, "≤ 150 ms", ours <= 0.15)]

    ready, memory = _platform()
    bare = in_process(textwrap.dedent(_BARE).replace("{port}", "18431"))
    found.append(
        Row(
            "platform ready, from nothing",
            f"{ready * 1000:.0f} ms",
            f"bare uvicorn: {bare * 1000:.0f} ms",
            "≤ 1 s",
            ready <= 1,
        )
    )
    found.append(Row("platform's memory, idle", f"{memory / 1e6:.0f} MB", "aim: 80 MB"))

    extension = _extension()
    ratio = f"{extension / upstream:.2f} of upstream's import" if upstream else "upstream is not installed"
    found.append(Row("`%load_ext arkitekt`, platform running, sign-in kept", f"{extension * 1000:.0f} ms", ratio))
    return found


def _platform() -> tuple[float, float]:
    import time

    times: list[float] = []
    memory: list[float] = []
    for _ in range(4):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            with running(Path(folder) / "data") as served:
                times.append(time.perf_counter() - began)
                for service in ("mikro", "rekuest"):  # idle means: everything that is loaded after the start is there
                    httpx.post(f"{served.url}/{service}/graphql", json={"query": "{ __typename }"}).raise_for_status()
                memory.append(psutil.Process(served.pid).memory_info().rss)
    return sorted(times[1:])[1], sorted(memory[1:])[1]


def _extension() -> float:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as served:
        client = str(Path(folder) / "client")
        code = _EXTENSION.format(url=served.url, folder=client, token=served.redeem_token())
        in_process(code)
        again = _EXTENSION.format(url=served.url, folder=client, token="")
        return median(lambda: in_process(again))
