"""The sample app as a process of its own: `python -m jupyter_arkitekt.demo.host`.

One such process serves a data directory; a file lock says whether it is there. It ends when its standard input does,
so that it does not outlive whoever started it, however that one ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.errors import PlatformError
from jupyter_arkitekt.models._base import WireModel
from jupyter_arkitekt.models.rekuest import ActionName, Agent

IDENTIFIER = "live.arkitekt.samples"
FUNCTIONS = ("Gaussian blur", "Count cells", "Find the sharpest plane")
_READY_SECONDS = 60.0


def _lock(data_dir: Path) -> FileLock:
    return FileLock(data_dir / "sample-app.lock")


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main(data_dir: Path) -> int:
    """Host the sample functions until standard input ends, SIGTERM or Ctrl-C."""
    from jupyter_arkitekt.app import easy

    try:
        with _lock(data_dir).acquire(timeout=0):
            threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()
            with easy(IDENTIFIER) as app:
                from jupyter_arkitekt.demo import functions  # noqa: F401 - importing registers them

                app.run()
    except Timeout:
        sys.stderr.write(f"The sample app of {data_dir} runs already.\n")
        return 1
    return 0


def _is_running(data_dir: Path) -> bool:
    try:
        with _lock(data_dir).acquire(timeout=0):
            return False
    except Timeout:
        return True


class _Offer(WireModel):
    """A function and whether its agent is there."""

    action: ActionName
    agent: Agent


async def _live_functions() -> set[str]:
    offers: list[_Offer] = await context.current().service("rekuest").query("implementations", list[_Offer])
    return {offer.action.name for offer in offers if offer.agent.active}


@contextlib.contextmanager
def running(data_dir: Path) -> Iterator[None]:
    """Have the sample functions live while the block runs; a sample app that runs already is used as it is.

    Raises
    ------
    PlatformError
        If the functions are not there within a minute; the message has the last lines of the app's log.
    """
    if _is_running(data_dir):
        yield
        return
    log = data_dir / "sample-app.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_arkitekt.demo.host", str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    assert process.stdin is not None
    try:
        deadline = time.monotonic() + _READY_SECONDS
        while not set(FUNCTIONS) <= bridge.sync(_live_functions()):
            if process.poll() is not None or time.monotonic() > deadline:
                last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
                raise PlatformError(f"The sample app did not start. Its log ({log}) ends with:\n{last}")
            time.sleep(0.1)
        yield
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
