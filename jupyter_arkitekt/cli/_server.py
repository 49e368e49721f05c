"""The platform's own verbs: its program takes over, so that a terminal serves without a client in memory."""

from __future__ import annotations

import os
import subprocess
import sys


def hand_over(arguments: list[str]) -> int:
    """Become ``python -m jupyter_arkitekt.server`` with `arguments`; return its status where that cannot be."""
    command = [sys.executable, "-m", "jupyter_arkitekt.server", *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execv(command[0], command)  # noqa: S606 - our own interpreter, no shell
    return subprocess.run(command, check=False).returncode
