"""One row of the table, and ways to measure."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_arkitekt import context
from jupyter_arkitekt.models.mikro import ZarrUploadGrant as UploadGrant
from jupyter_arkitekt.testing import Served, start_platform

if TYPE_CHECKING:
    from obstore.store import S3Credential

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes
    ----------
    what
        What was measured.
    figure
        Our figure, with its unit.
    reference
        What stands beside it, measured in the same run.
    limit
        What has to be reached, empty where nothing has to be yet.
    met
        Whether it was.
    """

    what: str
    figure: str
    reference: str
    limit: str = ""
    met: bool = True

    def cells(self) -> tuple[str, ...]:
        """Return the row as the table shows it."""
        state = "" if not self.limit else ("yes" if self.met else "**no**")
        return (self.what, self.figure, self.reference, self.limit, state)


@contextmanager
def running(data_dir: Path) -> Iterator[Served]:
    """Have a platform on `data_dir` while the block runs."""
    served = start_platform(data_dir)
    try:
        yield served
    finally:
        served.stop()


def s3_keys(grant: UploadGrant) -> S3Credential:
    """Return the credentials of a grant as obstore takes them."""
    return {
        "access_key_id": grant.access_key,
        "secret_access_key": grant.secret_key,
        "token": grant.session_token,
        "expires_at": None,
    }


async def upload_grant() -> UploadGrant:
    """Ask the current app's server for a place to write an array to."""
    grant: UploadGrant = await context.current().service("mikro").mutate("requestZarrUpload", UploadGrant, input={})
    return grant


def median(measure: Callable[[], float], runs: int = 5) -> float:
    """Return the median of what `measure` returns, after one call that does not count."""
    measure()
    return statistics.median(measure() for _ in range(runs))


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_process(code: str, python: Path | str = sys.executable, *, cwd: Path | None = None) -> float:
    """Return the number that `code` prints last, run in a fresh interpreter."""
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, timeout=300, cwd=cwd)
    return float(done.stdout.split()[-1])


def upstream_python() -> Path | None:
    """Return the interpreter of the environment with released upstream clients, if the interop tests made it."""
    found = sorted((ROOT / ".cache" / "witness").glob("mikro-2.1.1-*/bin/python"))
    return found[-1] if found else None
