"""What all tests share: a home of their own, real platforms, and a look at what they leave behind."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from jupyter_arkitekt.app import App, easy
from jupyter_arkitekt.testing import Serve, Served, start_platform, wait_for

#: Variables that say where things are or who is signed in; each test starts without them.
OURS = (
    "FAKTS_URL",
    "FAKTS_TOKEN",
    "FAKTS_REDEEM_TOKEN",
    "FAKTS",
    "FAKTS_FILE",
    "ARKITEKT_DATA_DIR",
    "ARKITEKT_NODE_ID",
)

#: Threads of pools live as long as their pool, which the interpreter ends; they are no leak.
POOLS = ("asyncio_", "ThreadPoolExecutor-")

missing_programs: set[str] = set()


def pytest_configure() -> None:
    """Make Ctrl-C work even where the run was started with SIGINT ignored (as background jobs of a shell are)."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is missing, or fail it with ``REQUIRE_ALL=1``."""
    for mark in item.iter_markers("needs"):
        program = str(mark.args[0])
        if shutil.which(program) is None:
            missing_programs.add(program)
            if os.environ.get("REQUIRE_ALL") == "1":
                pytest.fail(f"{program} is not installed, and REQUIRE_ALL=1 says that nothing may be skipped")
            pytest.skip(f"{program} IS NOT INSTALLED: install it to run this suite")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not tested."""
    for program in sorted(missing_programs):
        terminalreporter.write_line(f"NOT TESTED: everything that needs {program}, which is not installed", yellow=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the platforms of a failed test said."""
    report = yield
    if report.failed:
        funcargs = getattr(item, "funcargs", {})
        served = [*started, *(value for value in funcargs.values() if isinstance(value, Served))]
        for one in {id(one): one for one in served}.values():
            if one.log_file.exists():
                report.sections.append((f"platform {one.url}", one.log[-8000:]))
    return report


#: Platforms that the running test started by `serve`.
started: list[Served] = []


def _isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name in OURS:
        patch.delenv(name, raising=False)
    places = {
        "HOME": home,
        "USERPROFILE": home,
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_STATE_HOME": home / ".local" / "state",
        "XDG_RUNTIME_DIR": home / "run",
        "JUPYTER_CONFIG_DIR": home / ".jupyter",
        "JUPYTER_DATA_DIR": home / ".local" / "share" / "jupyter",
        "JUPYTER_RUNTIME_DIR": home / "run" / "jupyter",
        "IPYTHONDIR": home / ".ipython",
    }
    for name, place in places.items():
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        patch.setenv(name, str(place))


@pytest.fixture(scope="session", autouse=True)
def session_home() -> Iterator[Path]:
    """Give the session a home of its own, for what lives longer than one test."""
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(prefix="arkitekt-", ignore_cleanup_errors=True) as home,
    ):
        _isolate(patch, Path(home))
        yield Path(home)


@pytest.fixture(autouse=True)
def home(session_home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a home of its own."""
    folder = tmp_path_factory.mktemp("home")
    _isolate(monkeypatch, folder)
    return folder


@pytest.fixture(autouse=True)
def no_thread_stays(home: Path) -> Iterator[None]:
    """Fail a test that leaves a thread behind which keeps the interpreter from ending."""
    before = set(threading.enumerate())
    yield

    def left() -> list[str]:
        return [
            thread.name
            for thread in threading.enumerate()
            if thread not in before and not thread.daemon and not thread.name.startswith(POOLS)
        ]

    try:
        wait_for(lambda: not left(), 10, "the test's threads to end")
    except TimeoutError:
        pytest.fail(f"the test left threads behind: {', '.join(left())}; something that it opened was not closed")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start platforms of one's own; all are ended with the test."""
    with ExitStack() as stack:

        def start(*options: str, data_dir: Path | None = None, env: Mapping[str, str] | None = None) -> Served:
            served = start_platform(data_dir or tmp_path / f"platform-{len(started)}", *options, env=env)
            started.append(served)
            stack.callback(served.stop)
            return served

        yield start
    started.clear()


@pytest.fixture(scope="session")
def platform(session_home: Path) -> Iterator[Served]:
    """One platform that all tests share; they must not stop it."""
    served = start_platform(session_home / "platform")
    yield served
    served.stop()


@pytest.fixture
def app(platform: Served) -> Iterator[App]:
    """An app that is signed in at the shared platform, and the one that calls go to."""
    entered = easy("org.example.test", url=platform.url, redeem_token=platform.redeem_token())
    with entered:
        yield entered
