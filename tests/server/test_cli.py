"""The terminal, as people type it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from jupyter_arkitekt.app import ensure_platform
from jupyter_arkitekt.testing import Served


def _arkitekt(*arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import sys; from jupyter_arkitekt.cli import main; sys.exit(main())", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, input=stdin, timeout=120, check=False, env={**os.environ, **env}
    )


def test_the_local_platforms_life_in_a_terminal(tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    missing = _arkitekt("status", ARKITEKT_DATA_DIR=folder)
    assert missing.returncode == 1
    assert "no platform runs" in missing.stdout
    running = ensure_platform(Path(folder))
    status = _arkitekt("status", ARKITEKT_DATA_DIR=folder)
    assert status.returncode == 0
    assert running.url in status.stdout
    doctor = _arkitekt("doctor", ARKITEKT_DATA_DIR=folder)
    assert doctor.returncode == 0, doctor.stdout
    assert "answers" in doctor.stdout
    assert "stopped" in _arkitekt("stop", ARKITEKT_DATA_DIR=folder).stdout
    assert "no platform runs" in _arkitekt("stop", ARKITEKT_DATA_DIR=folder).stdout


def test_tokens_and_people_are_managed_while_the_server_runs(platform: Served) -> None:
    folder = ("--data-dir", str(platform.data_dir))
    assert _arkitekt("user", "add", "ada", *folder, stdin="a long password\n").returncode == 0
    assert "ada" in _arkitekt("user", "list", *folder).stdout
    made = _arkitekt("token", "create", "--user", "ada", "--uses", "2", "--expires", "600", *folder)
    assert made.returncode == 0
    assert len(made.stdout.strip()) > 30
    listed = _arkitekt("token", "list", *folder).stdout
    assert made.stdout.strip() not in listed
    number = next(line.split("\t")[0] for line in listed.splitlines() if "\tada\t" in line)
    assert _arkitekt("token", "revoke", number, *folder).returncode == 0
    assert "\tada\t" not in _arkitekt("token", "list", *folder).stdout
    assert _arkitekt("user", "disable", "ada", *folder).returncode == 0
    refused = _arkitekt("token", "create", "--user", "ada", *folder)
    assert refused.returncode == 1
    assert refused.stderr == "The user 'ada' is disabled.\n"


def test_an_error_is_one_line_and_a_missing_option_is_explained(tmp_path: Path) -> None:
    unknown = _arkitekt("token", "create", "--user", "nobody", "--data-dir", str(tmp_path / "d"))
    assert unknown.returncode == 1
    assert unknown.stderr.count("\n") == 1
    later = _arkitekt("serve", "--database", "postgresql://x", "--data-dir", str(tmp_path / "d"))
    assert later.returncode == 1
    assert "--database is not there yet" in later.stderr


def test_logout_forgets_the_sign_ins(app: object) -> None:
    assert "forgot 1 sign-in\n" in _arkitekt("logout").stdout
    assert "forgot 0 sign-ins\n" in _arkitekt("logout").stdout
