"""A platform in a process of its own, as people run it, for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.identity import Identity
from jupyter_arkitekt.server.settings import Settings
from jupyter_arkitekt.testing._waiting import wait_for

#: Seconds that a loaded machine may take to start a platform, and to end it.
START = 60.0
END = 30.0


@dataclass
class Served:
    """A platform that runs, or ran.

    Attributes
    ----------
    url
        Its address, without a slash at its end; what ``FAKTS_URL`` takes.
    pid
        Its process.
    data_dir
        Its folder.
    log_file
        What it wrote to standard error, over all restarts.
    """

    url: str
    pid: int
    data_dir: Path
    log_file: Path
    process: subprocess.Popen[bytes]
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> str:
        """What it wrote to standard error so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.process.poll() is None

    def redeem_token(self, user: str | None = None, *, uses: int = 1, expires: float | None = None) -> str:
        """Return a new redeem token of `user`, the owner when it is ``None``."""
        settings = Settings(data_dir=self.data_dir)
        database = Database.open(settings)
        try:
            return Identity(settings, database).tokens.create(user, uses=uses, expires=expires)
        finally:
            database.close()

    def stop(self) -> int:
        """Ask it to end by SIGTERM and return its exit status."""
        if self.running:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END)

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self.process.kill()
        self.process.wait(END)

    def restart(self) -> None:
        """End it if it runs and start it again on the same folder; it takes the same port if it can."""
        self.stop()
        again = start_platform(self.data_dir, *self.options, env=self.env, log_file=self.log_file)
        self.url, self.pid, self.process = again.url, again.pid, again.process


class Serve(Protocol):
    """What the fixture ``serve`` of the tests gives."""

    def __call__(self, *options: str, data_dir: Path | None = None, env: Mapping[str, str] | None = None) -> Served:
        """Start a platform with these options of ``serve``, on a folder of its own unless one is given."""


def start_platform(
    data_dir: Path, *options: str, env: Mapping[str, str] | None = None, log_file: Path | None = None
) -> Served:
    """Start a platform on `data_dir` and return it once it answers.

    Parameters
    ----------
    options
        Further options of ``serve``.
    env
        Variables on top of this process's.
    log_file
        Where its standard error goes; beside the folder when left out.

    Raises
    ------
    RuntimeError
        If it ends instead, with what it said.
    TimeoutError
        If it does not answer within :data:`START` seconds; it is ended.
    """
    log_file = log_file or data_dir.with_name(f"{data_dir.name}.log")
    ready_file = data_dir.with_name(f"{data_dir.name}.ready")
    ready_file.unlink(missing_ok=True)
    command = ["serve", "--data-dir", str(data_dir), "--ready-file", str(ready_file), *options]
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_arkitekt.server", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, **(env or {})},
        )
    try:
        wait_for(lambda: ready_file.exists() or process.poll() is not None, START, "the platform to answer")
    except BaseException:
        process.kill()
        process.wait(END)
        raise
    if not ready_file.exists():
        said = log_file.read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"The platform ended with status {process.returncode} instead of serving:\n{said}")
    facts = json.loads(ready_file.read_text(encoding="utf-8"))
    return Served(facts["url"], facts["pid"], data_dir, log_file, process, options, dict(env or {}))


def run_server(
    *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m jupyter_arkitekt.server`` with `arguments` until it ends, as a person does in a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "jupyter_arkitekt.server", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=START,
        check=False,
        env={**os.environ, **(env or {})},
    )
