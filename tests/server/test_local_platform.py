"""The local platform as kernels find, start and share it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from jupyter_arkitekt import config, context
from jupyter_arkitekt.app import App, connect_kernel, easy, ensure_platform, running_platform, stop_platform
from jupyter_arkitekt.app._kernel import notebook_id
from jupyter_arkitekt.errors import ConfigError, PlatformError
from jupyter_arkitekt.mikro import images
from jupyter_arkitekt.testing import wait_for


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory that the environment names; what runs on it is ended with the test."""
    folder = tmp_path / "data"
    monkeypatch.setenv(config.ARKITEKT_DATA_DIR, str(folder))
    yield folder
    context.set_current(None)
    stop_platform(folder, seconds=60)


def test_it_starts_by_itself_is_shared_and_ends_when_told(data_dir: Path) -> None:
    assert running_platform() is None
    first = ensure_platform()
    assert ensure_platform() == first
    assert running_platform() == first
    assert os.getsid(first.pid) == first.pid, "it has to outlive the kernel's session"
    assert stop_platform(seconds=60)
    assert not stop_platform()


def test_two_that_start_it_at_once_end_up_with_one(data_dir: Path) -> None:
    code = "from jupyter_arkitekt.app import ensure_platform; print(ensure_platform().pid)"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    pids = [process.communicate(timeout=120)[0].strip() for process in both]
    assert pids[0] == pids[1] != ""


def test_the_owner_is_signed_in_without_a_browser_and_every_use_replaces_the_token(data_dir: Path) -> None:
    ensure_platform()
    token = data_dir / "owner.token"
    before = token.read_text()
    with easy("org.example.one") as app:
        assert app.is_local
        assert app.user
        assert images(limit=1) == []
    assert token.read_text() != before
    for path in (data_dir, token, data_dir / "secret.key", data_dir / "arkitekt.db"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, f"{path} can be read by others"


def test_a_token_file_that_others_can_read_is_not_used(data_dir: Path) -> None:
    ensure_platform()
    (data_dir / "owner.token").chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        easy("org.example.one").enter()


def test_after_a_kill_it_is_started_again_with_what_it_knew(data_dir: Path) -> None:
    first = ensure_platform()
    with easy("org.example.one") as app:
        assert app.user
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: running_platform() is None, 60, "the killed platform to be noticed")
    assert config.runtime_file(data_dir).exists(), "the stale file is what this is about"
    with easy("org.example.one") as app:
        assert images(limit=1) == []
    again = running_platform()
    assert again is not None
    assert again.pid != first.pid
    assert again.url == first.url, "the port is remembered"


def test_a_runtime_file_of_a_dead_process_is_not_believed_while_somebody_looks_at_the_lock(data_dir: Path) -> None:
    pid = ensure_platform().pid
    runtime = config.runtime_file(data_dir)
    told = runtime.read_text()
    stop_platform(data_dir, seconds=60)
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), 60, "the process to be gone")
    runtime.write_text(told)
    with FileLock(data_dir / "platform.lock"):
        assert running_platform() is None


def test_notebooks_are_installations_of_their_own_and_a_restart_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_PARENT_PID", "1")  # the server's, the same for all of its kernels
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/a.ipynb")
    first = notebook_id()
    assert notebook_id() == first
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/b.ipynb")
    assert notebook_id() != first
    monkeypatch.delenv("JPY_SESSION_NAME")
    unnamed = notebook_id()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert notebook_id() != unnamed, "two kernels without a name are two"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": 3}', '{"url": "http://127.0.0.1:9", "pid": "x"}'])
def test_a_corrupt_runtime_file_is_no_obstacle(data_dir: Path, content: str) -> None:
    runtime = config.runtime_file(data_dir)
    config.private_dir(runtime.parent)
    runtime.write_text(content)
    found = ensure_platform()
    assert json.loads(runtime.read_text())["pid"] == found.pid


def test_a_runtime_file_of_another_host_is_not_believed(data_dir: Path) -> None:
    ensure_platform()
    runtime = config.runtime_file(data_dir)
    told = runtime.read_text()
    runtime.write_text(json.dumps({**json.loads(told), "host": "elsewhere"}))
    assert running_platform() is None
    runtime.write_text(told)
    assert running_platform() is not None


def test_what_keeps_it_from_starting_is_said(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700)
    (data_dir / "arkitekt.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(PlatformError, match="no usable database"):
        ensure_platform()


def test_a_kernel_is_signed_in_at_once_and_stays_so(data_dir: Path) -> None:
    app = connect_kernel()
    assert isinstance(app, App)
    assert context.current() is app
    assert connect_kernel() is app
    app.exit()
    assert context.current_or_none() is None
