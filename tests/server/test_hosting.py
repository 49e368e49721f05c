"""Hosting functions: from a script, from a kernel, and through what goes wrong."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_arkitekt import context
from jupyter_arkitekt.app import App, easy
from jupyter_arkitekt.errors import CallError, NoAgentError, NotFoundError, TaskFailedError
from jupyter_arkitekt.models.rekuest import EventKind
from jupyter_arkitekt.rekuest import Task, actions, agent_of, call, find, functions, host, register, start, tasks
from jupyter_arkitekt.rekuest import _hosting as hosting_room
from jupyter_arkitekt.rekuest._protocol import AgentState
from jupyter_arkitekt.testing import Served, hosting, wait_for, wait_for_action

FUNCTIONS = '''
import time
from jupyter_arkitekt.rekuest import progress, register

@register
def wait_for_file(path: str) -> str:
    """Return the content of a file as soon as it exists."""
    import os
    while not os.path.exists(path):
        progress(1)
        time.sleep(0.02)
    return open(path).read()
'''

#: Seconds after which the platform gives up on an agent, far below what people get.
QUICK = {"ARKITEKT_AGENT_GRACE": "1", "ARKITEKT_AGENT_AWAY": "0.2", "ARKITEKT_AGENT_HEARTBEAT": "2"}

Serve = Callable[..., Served]


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    yield
    for interface in [function.interface for function in functions.copy()._functions.values()]:
        functions.remove(interface)


@pytest.fixture
def app(platform: Served) -> Iterator[App]:
    with easy("test.own", url=platform.url, redeem_token=platform.redeem_token()) as entered:
        yield entered


def started(task: Task) -> None:
    found = threading.Event()
    task.observe(lambda event: found.set() if event.kind is EventKind.PROGRESS else None)
    assert found.wait(60), f"{task} did not begin"


def test_an_agent_that_dies_during_a_call_ends_it_with_an_error(serve: Serve, tmp_path: Path) -> None:
    platform = serve(env=QUICK)
    with (
        easy("test.caller", url=platform.url, redeem_token=platform.redeem_token()),
        hosting(platform, FUNCTIONS) as running,
    ):
        wait_for_action("wait_for_file")
        task = start("wait_for_file", tmp_path / "never")
        started(task)
        running.kill()
        with pytest.raises(TaskFailedError, match=r"test\.host.* went away"):
            task.result(60)

        def nobody() -> bool:
            try:
                start("wait_for_file", tmp_path / "never").cancel()
            except NoAgentError:
                return True
            except TaskFailedError:
                pass
            return False

        wait_for(nobody, 60, "the platform to see that nobody hosts")
        with pytest.raises(NoAgentError, match=r"Nobody hosts 'Wait For File' now.*test\.host.*last seen.*Start that"):
            call("wait_for_file", "x")


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_restart_of_the_platform_loses_neither_the_call_nor_its_result(
    serve: Serve, tmp_path: Path, how: str
) -> None:
    platform = serve()
    with (
        easy("test.caller", url=platform.url, redeem_token=platform.redeem_token()),
        hosting(platform, FUNCTIONS) as running,
    ):
        wait_for_action("wait_for_file")
        task = start("wait_for_file", tmp_path / "file")
        started(task)
        getattr(platform, how)()
        (tmp_path / "file.new").write_text("written while the platform was away")
        (tmp_path / "file.new").rename(tmp_path / "file")
        platform.restart()
        assert task.result(90) == "written while the platform was away"
        wait_for_action("wait_for_file")
        assert call("wait_for_file", tmp_path / "file") == "written while the platform was away"
        assert running.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_script_ends_quietly_by_a_signal_and_its_callers_are_told(
    platform: Served, app: App, tmp_path: Path, number: signal.Signals
) -> None:
    with hosting(platform, FUNCTIONS, identifier=f"test.signal.{number.name.lower()}") as running:
        wait_for_action("wait_for_file")
        task = start(
            next(action for action in actions() if action.app and action.app.identifier.endswith(number.name.lower())),
            tmp_path / "never",
        )
        started(task)
        assert running.stop(number) == 0
        with pytest.raises(TaskFailedError, match="The app that ran this was closed"):
            task.result(60)
        assert "Traceback" not in running.log


def test_a_second_process_of_the_same_app_is_told_that_the_first_one_hosts(
    platform: Served, app: App, tmp_path: Path
) -> None:
    shared = {"XDG_CACHE_HOME": str(tmp_path)}
    with hosting(platform, FUNCTIONS, identifier="test.twice", env=shared):
        wait_for(lambda: any("test.twice" in repr(action) for action in actions()), 60, "the first process")
        with hosting(platform, FUNCTIONS, identifier="test.twice", env=shared) as second:
            assert second.process.wait(60) != 0
            assert "'test.twice' hosts functions in another process already" in second.log
            assert "sign in here under another name" in second.log


def test_an_agent_that_was_turned_away_begins_anew_when_a_function_is_registered(
    platform: Served, caplog: pytest.LogCaptureFixture
) -> None:
    def same() -> App:
        return easy("test.same", url=platform.url, redeem_token=platform.redeem_token())

    @register
    def first() -> int:
        return 1

    with same() as waiting:
        with same() as one:
            host(one)
            assert call(first) == 1
            refused = host(waiting)
            with context.use(waiting), pytest.raises(CallError, match="hosts functions in another process already"):
                call(first)
            assert "ended" in repr(refused)
        host(waiting)
        assert call(first) == 1
        assert "active" in repr(refused)
    assert "in another process already" in caplog.text


def test_what_a_process_hosts_it_can_call_itself_and_register_again(app: App) -> None:
    @register
    def own(a: int) -> int:
        """First."""
        return a + 1

    agent = host(app)
    assert call(own, 1) == 2
    assert find(own).description == "First."

    @register(interface="own", key="own")
    def changed(a: int, b: int = 5) -> int:
        """Second."""
        return a + b

    assert call("own", 1, 7) == 8, "also by its name, with the new ports at once"
    assert call(changed, 1) == 6
    assert find(changed).description == "Second."
    assert [port.key for port in find(changed).args] == ["a", "b"]
    assert changed(1) == 6, "calling it runs it here"
    functions.remove("own")
    assert call(other := register(shout), "x") == "x!"
    assert "hosts shout" in repr(agent)
    assert agent.state is AgentState.ACTIVE
    assert other.interface == "shout"
    with pytest.raises(NotFoundError, match="has no function 'own'"):
        call("own", 1)


def shout(text: str) -> str:
    return f"{text}!"


def test_in_a_kernel_hosting_begins_by_itself_in_either_order(
    platform: Served, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hosting_room, "in_kernel", lambda: True)

    @register
    def before(a: int) -> int:
        return a

    with easy("test.kernel", url=platform.url, redeem_token=platform.redeem_token()) as app:
        assert call(before, 3) == 3

        @register
        def after(a: int) -> int:
            return -a

        assert call(after, 3) == -3
        assert agent_of(app).state is AgentState.ACTIVE
    assert capfd.readouterr() == ("", ""), "a cell shows nothing of it"


def test_an_app_that_exits_tells_the_callers_of_what_it_runs(platform: Served, app: App) -> None:
    entered = threading.Event()
    leave = threading.Event()

    @register
    def hold() -> None:
        entered.set()
        leave.wait(60)

    with easy("test.leaving", url=platform.url, redeem_token=platform.redeem_token()) as leaving:
        agent = host(leaving)
        action = find(hold)
        with context.use(app):
            task = start(action)
        assert entered.wait(60)
    leave.set()
    assert agent.state is AgentState.ENDED
    with context.use(app), pytest.raises(TaskFailedError, match="The app that ran this was closed"):
        task.result(60)
    with context.use(app):
        assert tasks(1)[0].is_done
