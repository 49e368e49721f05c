"""The witnesses: released upstream clients, unmodified, each in an environment of its own, as programs beside us.

They are black boxes: they are installed from their locks (``requirements/*.txt``), run as processes, and what they
print after ``REPORT`` is all that is known of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_arkitekt.testing import Served

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DEADLINE = 120.0


@dataclass(frozen=True)
class Witness:
    """An environment with released upstream clients, and a platform to run them against."""

    name: str
    python: Path
    platform: Served
    folder: Path

    def environment(self) -> dict[str, str]:
        """Return the environment of a witness: a home of its own and a fresh redeem token."""
        kept = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL", "TMPDIR") if key in os.environ}
        return kept | {
            "HOME": str(self.folder),
            "FAKTS_URL": self.platform.url,
            "FAKTS_REDEEM_TOKEN": self.platform.redeem_token(),
            "PYTHONUNBUFFERED": "1",
        }

    def run(self, script: str, *arguments: str) -> dict[str, Any]:
        """Run a script of ``witness/`` to its end and return what it reported."""
        done = subprocess.run(
            [self.python, HERE / "witness" / script, *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        for line in done.stdout.splitlines():
            if line.startswith("REPORT "):
                report: dict[str, Any] = json.loads(line.removeprefix("REPORT "))
                return report
        pytest.fail(f"{script} of {self.name} reported nothing (exit {done.returncode}):\n{done.stdout}\n{done.stderr}")

    @contextmanager
    def running(self, script: str) -> Iterator[None]:
        """Run a script that hosts functions, from its report on until the block is left."""
        log = self.folder / f"{script}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self.python, HERE / "witness" / script],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("REPORT "):
                    break
            else:
                pytest.fail(f"{script} of {self.name} ended early:\n{log.read_text(errors='replace')}")
            yield
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def _environment(name: str) -> Path:
    """Return the Python of the environment made from the lock `name`, made on first use and kept."""
    lock = HERE / "requirements" / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = ROOT / ".cache" / "witness" / f"{name}-{digest}"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        uv = ROOT / ".cache" / "uv" / "bin" / "uv"
        if not uv.exists():
            raise FileNotFoundError(f"{uv} is missing; `make setup` brings it")
        environment = os.environ | {"VIRTUAL_ENV": str(folder), "UV_PYTHON_DOWNLOADS": "never"}
        base = getattr(sys, "_base_executable", sys.executable)
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", base, folder], check=True, env=environment)
        subprocess.run(
            [uv, "pip", "sync", "--quiet", "--require-hashes", lock], check=True, env=environment, timeout=600
        )
        (folder / ".ready").touch()
    return python


@pytest.fixture(scope="session")
def make_witness(platform: Served, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Witness]:
    """Return a function from the name of a lock to its witness; loud when the environment cannot be had."""

    def make(name: str) -> Witness:
        try:
            python = _environment(name)
        except (OSError, subprocess.SubprocessError) as error:
            message = f"no environment for the witness {name}: {error}"
            if os.environ.get("REQUIRE_ALL") == "1":
                pytest.fail(message)
            pytest.skip(message)
        return Witness(name, python, platform, tmp_path_factory.mktemp(name))

    return make


@pytest.fixture(scope="session", params=["mikro-2.0.0", "mikro-2.1.1"])
def mikro(request: pytest.FixtureRequest, make_witness: Callable[[str], Witness]) -> Witness:
    """Each released mikro client in turn."""
    return make_witness(request.param)


@pytest.fixture(scope="session")
def rekuest(make_witness: Callable[[str], Witness]) -> Witness:
    """The released rekuest client."""
    return make_witness("mikro-2.1.1")
