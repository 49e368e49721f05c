"""`arkitekt demo`: platform, sample data, a sample app and the quickstart, in one command."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

_NEEDED = ("jupyterlab", "nbclient", "skimage")


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    verb = subparsers.add_parser("demo", help="show the main job: sample images and functions in a notebook")
    verb.add_argument("--check", action="store_true", help="execute the notebook and verify each step instead")
    verb.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    verb.set_defaults(act=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    from jupyter_arkitekt.errors import ConfigError

    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"The demo needs {', '.join(missing)}. Install them: pip install 'jupyter-arkitekt[demo]'.")
    from jupyter_arkitekt.app import easy, ensure_platform
    from jupyter_arkitekt.demo import host, quickstart, samples

    for name in ("FAKTS_URL", "FAKTS_TOKEN", "FAKTS_REDEEM_TOKEN"):
        os.environ.pop(name, None)  # the demo is about the local platform, whatever else this terminal is signed in to
    began = time.monotonic()
    platform = ensure_platform()
    _say(f"platform: {platform.url}, data in {platform.data_dir}")
    with easy("live.arkitekt.demo"):
        for name in samples.bring(lambda name: _say(f"bringing {name} …")):
            _say(f"image: {name}")
        with host.running(platform.data_dir):
            _say(f"functions: {', '.join(host.FUNCTIONS)}")
            _say(f"ready after {time.monotonic() - began:.1f} s")
            if arguments.check:
                from jupyter_arkitekt.demo import check

                return check.run(platform.data_dir)
            return _open(quickstart.working_copy(platform.data_dir), browser=not arguments.no_browser)


def _open(notebook: Path, *, browser: bool) -> int:
    """Run JupyterLab on `notebook` until it is ended."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={notebook.parent}"]
    command += [f"--LabApp.default_url=/lab/tree/{notebook.name}"]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    _say("JupyterLab starts; end it with Ctrl-C")
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal told JupyterLab too, which asks; it decides when it ends


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
