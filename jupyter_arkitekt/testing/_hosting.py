"""An app that hosts functions in a process of its own, as people run it, for tests."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.errors import ConnectError
from jupyter_arkitekt.models._base import WireModel
from jupyter_arkitekt.models.rekuest import ActionName, Agent
from jupyter_arkitekt.testing._platform import END, Served
from jupyter_arkitekt.testing._waiting import wait_for

_SCRIPT = """{code}

from jupyter_arkitekt.app import easy

with easy({identifier!r}, url={url!r}, redeem_token={token!r}) as app:
    app.run()
"""


class _Offer(WireModel):
    id: str
    action: ActionName
    agent: Agent


@dataclass
class Hosting:
    """An app that hosts, or hosted.

    Attributes
    ----------
    process
        Its process.
    log_file
        What it wrote.
    """

    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal, SIGTERM if none is named, and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(END)

    def kill(self) -> None:
        """End it without a chance to say good-bye."""
        self.process.kill()
        self.process.wait(END)


@contextlib.contextmanager
def hosting(
    platform: Served, code: str, *, identifier: str = "test.host", env: Mapping[str, str] | None = None
) -> Iterator[Hosting]:
    """Run a script that registers functions and hosts them on `platform`, until the block ends.

    Parameters
    ----------
    platform
        Where it signs in, by a redeem token of its own.
    code
        Python source that registers functions.
    identifier
        Name of the app.
    env
        Variables on top of this process's.
    """
    with tempfile.TemporaryDirectory(prefix="arkitekt-host-", ignore_cleanup_errors=True) as folder:
        script, log_file = Path(folder, "host.py"), Path(folder, "host.log")
        token = platform.redeem_token()
        script.write_text(
            _SCRIPT.format(code=code, identifier=identifier, url=platform.url, token=token), encoding="utf-8"
        )
        home = Path(folder, "home")
        home.mkdir()
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(script)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "XDG_CACHE_HOME": str(home), **(env or {})},
            )
        running = Hosting(process, log_file)
        try:
            yield running
        except BaseException as error:
            error.add_note(f"The app that hosted wrote:\n{running.log[-4000:]}")
            raise
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(END)
                except subprocess.TimeoutExpired:
                    running.kill()


def wait_for_action(name: str, seconds: float = 60.0) -> None:
    """Return as soon as the current app can call a function of that name or key.

    Raises
    ------
    TimeoutError
        If nobody hosts it in time.
    """

    async def hosted() -> bool:
        client = context.current().service("rekuest")
        with contextlib.suppress(ConnectError):  # the platform may be restarting
            offers: list[_Offer] = await client.query("implementations", list[_Offer])
            return any(offer.agent.active and name in (offer.action.name, offer.action.key) for offer in offers)
        return False

    wait_for(lambda: bridge.sync(hosted()), seconds, f"somebody to host {name!r}")
