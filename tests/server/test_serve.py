"""Starting, holding and ending a platform, as a process."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from jupyter_arkitekt import config
from jupyter_arkitekt.testing import Serve, Served, access_token, manifest, redeem, run_server, sign_in, wait_for

#: The promise: from SIGTERM to the end. A loaded machine gets as much again to notice.
END = 2.0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def runtime(served: Served) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(config.runtime_file(served.data_dir).read_text())
    return facts


def refused(data_dir: Path, *options: str, env: dict[str, str] | None = None) -> str:
    """Try to serve, expect a refusal in one line, and return it."""
    ended = run_server("serve", "--data-dir", str(data_dir), *options, env=env)
    assert ended.returncode != 0
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    return lines[0]


def test_the_ready_and_the_runtime_file_say_where_it_answers(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    ready = json.loads((tmp_path / f"{served.data_dir.name}.ready").read_text())
    assert set(ready) == {"url", "pid", "data_dir", "version"}
    assert ready["pid"] == served.process.pid
    assert ready["data_dir"] == str(served.data_dir)
    assert httpx.get(f"{ready['url']}/ht").status_code == 200
    facts = runtime(served)
    assert {key: facts[key] for key in ready} == ready
    assert facts["host"] == config.host_name()
    assert facts["boot_id"] == config.boot_id()
    assert mode(config.runtime_file(served.data_dir)) == 0o600
    assert served.stop() == 0
    assert not config.runtime_file(served.data_dir).exists()


def test_only_the_owner_can_read_what_it_keeps(serve: Serve) -> None:
    served = serve()
    assert mode(served.data_dir) == 0o700
    open_to_others = [path.name for path in served.data_dir.rglob("*") if mode(path) & 0o077]
    assert not open_to_others


def test_it_binds_to_loopback_and_answers_no_other_name(serve: Serve) -> None:
    served = serve()
    assert served.url.startswith("http://127.0.0.1:")
    answer = httpx.get(f"{served.url}/ht", headers={"Host": "lab.example"})
    assert answer.status_code == 421


def test_a_second_server_on_the_same_folder_is_refused_with_the_address_of_the_first(serve: Serve) -> None:
    served = serve()
    message = refused(served.data_dir)
    assert served.url in message
    assert httpx.get(f"{served.url}/ht").status_code == 200
    assert runtime(served)["pid"] == served.pid


def test_two_that_start_at_once_end_up_with_one(tmp_path: Path) -> None:
    folder, command = tmp_path / "shared", [sys.executable, "-m", "jupyter_arkitekt.server", "serve", "--data-dir"]
    ready = [tmp_path / "first", tmp_path / "second"]
    processes = [
        subprocess.Popen([*command, str(folder), "--ready-file", str(file)], stderr=subprocess.DEVNULL)
        for file in ready
    ]
    try:
        wait_for(lambda: any(process.poll() is not None for process in processes), 60, "one of two to give up")
        wait_for(lambda: any(file.exists() for file in ready), 60, "the other one to serve")
        assert sorted(file.exists() for file in ready) == [False, True]
        assert [process.poll() is None for process in processes].count(True) == 1
    finally:
        for process in processes:
            process.terminate()
            process.wait(30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_two_seconds_whatever_is_open(serve: Serve, number: signal.Signals) -> None:
    served = serve()
    app = sign_in(served.url, served.redeem_token())
    websocket = served.url.replace("http", "ws", 1)
    half_a_request = socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=30)
    agent = connect(f"{websocket}/rekuest/agi", open_timeout=30)
    feed = connect(f"{websocket}/rekuest/graphql", subprotocols=[Subprotocol("graphql-ws")], open_timeout=30)
    with half_a_request, agent, feed:
        half_a_request.sendall(b"POST /mikro/graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n{")
        feed.send(json.dumps({"type": "connection_init", "payload": {"token": app.token}}))
        assert json.loads(feed.recv(timeout=30)) == {"type": "connection_ack"}
        feed.send(
            json.dumps({"type": "start", "id": "1", "payload": {"query": "subscription { mytasks { create { id } } }"}})
        )
        served.process.send_signal(number)
        codes = []
        for one in (agent, feed):
            with pytest.raises(ConnectionClosed) as closed:
                one.recv(timeout=30)
            codes.append(closed.value.rcvd.code if closed.value.rcvd else None)
        status = served.process.wait(2 * END)
    assert status == 0, served.log
    assert codes == [1012, 1012]


def test_state_survives_a_restart_and_so_does_the_address(serve: Serve) -> None:
    served = serve()
    app = sign_in(served.url, served.redeem_token())
    made = app.graphql("mikro", 'mutation { createDataset(input: {name: "kept"}) { id } }')
    key = made["data"]["createDataset"]["id"]
    url = served.url
    served.restart()
    assert served.url == url
    found = app.graphql("mikro", "query Q($id: ID!) { dataset(id: $id) { name } }", id=key)
    assert found == {"data": {"dataset": {"name": "kept"}}}
    assert access_token(app.config).status_code == 200


def test_the_remembered_port_is_given_up_when_somebody_else_has_it(serve: Serve) -> None:
    served = serve()
    url, port = served.url, int(served.url.rpartition(":")[2])
    served.stop()
    with socket.create_server(("127.0.0.1", port)):
        served.restart()
        assert served.url != url


def test_a_killed_platform_leaves_nothing_that_keeps_the_next_from_starting(serve: Serve) -> None:
    served = serve()
    served.kill()
    assert runtime(served)["pid"] == served.pid
    served.restart()
    assert runtime(served)["pid"] == served.pid
    served.stop()
    config.runtime_file(served.data_dir).write_text("[1")
    (served.data_dir / "port").write_text("nonsense")
    served.restart()
    assert runtime(served)["url"] == served.url


def test_the_owner_signs_in_by_the_token_in_the_owners_file_and_finds_a_new_one(serve: Serve) -> None:
    served = serve()
    file = served.data_dir / "owner.token"
    first = file.read_text().strip()
    granted = redeem(served.url, first, manifest("kernel"))
    assert granted["status"] == "granted"
    second = file.read_text().strip()
    assert second != first
    assert mode(file) == 0o600
    assert redeem(served.url, first, manifest("kernel")) == granted  # the answer may have got lost
    assert redeem(served.url, first, manifest("thief"))["status"] == "error"
    assert file.read_text().strip() == second
    served.restart()
    assert file.read_text().strip() != second
    assert redeem(served.url, second, manifest("late"))["status"] == "error"
    assert redeem(served.url, file.read_text().strip(), manifest("late"))["status"] == "granted"


def test_it_ends_itself_when_nobody_has_been_here(serve: Serve) -> None:
    served = serve("--idle-seconds", "0.5")
    assert served.process.wait(60) == 0
    assert "Nobody has been here" in served.log


def test_an_open_socket_keeps_it_running(serve: Serve) -> None:
    served = serve("--idle-seconds", "0.5")
    with connect(f"{served.url.replace('http', 'ws', 1)}/rekuest/agi", open_timeout=30):
        with pytest.raises(subprocess.TimeoutExpired):
            served.process.wait(1.5)
        assert served.running
    assert served.process.wait(60) == 0


def test_secrets_do_not_reach_the_log(serve: Serve) -> None:
    served = serve("--verbose")
    token = served.redeem_token()
    app = sign_in(served.url, token)
    httpx.post(f"{served.url}/lok/f/redeem/", json={"manifest": manifest("other"), "token": token})
    httpx.post(app.config["auth"]["token_url"], data={"grant_type": "client_credentials"}, auth=("a", "wrong secret"))
    app.graphql("mikro", "{ nonsense }")
    app.graphql("mikro", "mutation { requestZarrUpload(input: {}) { key } }")
    served.stop()
    auth = app.config["auth"]
    owner = (served.data_dir / "owner.token").read_text().strip()
    for secret in (token, app.token, auth["client_token"], auth["client_secret"], owner, "wrong secret"):
        assert secret not in served.log
    assert "Traceback" not in served.log


def test_a_port_that_is_taken_is_refused_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f":{port} cannot be used" in refused(tmp_path / "data", "--port", str(port))


@pytest.mark.parametrize(
    "option", [("--storage", "s3://b"), ("--bus", "redis://h"), ("--workers", "2"), ("--database", "postgresql://h/d")]
)
def test_options_for_which_the_platform_is_too_small_are_refused(tmp_path: Path, option: tuple[str, str]) -> None:
    assert option[0] in refused(tmp_path / "data", *option)
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refused(tmp_path / "file")
    assert str(tmp_path / "file") in refused(tmp_path / "file" / "below")
    assert "cannot be used" in refused(Path("/proc/arkitekt"))


def test_a_database_that_is_damaged_or_newer_is_refused_in_one_line_and_left_alone(serve: Serve) -> None:
    served = serve()
    served.stop()
    file = served.data_dir / "arkitekt.db"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE schema_version SET version = 1000")
    connection.close()
    assert "newer" in refused(served.data_dir)
    file.write_bytes(b"this is no database, " * 1000)
    assert "no usable database" in refused(served.data_dir)
    assert file.read_bytes().startswith(b"this is no database")
    (served.data_dir / "secret.key").write_text("damaged")
    file.unlink()
    assert "secret.key" in refused(served.data_dir)


def _refused_with_little_room(folder: Path, room: int) -> str:
    """Try to serve while no file may grow beyond `room` bytes, which looks like a full disk."""
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))"
    run = "from jupyter_arkitekt.server.__main__ import main; import sys; sys.exit(main(sys.argv[1:]))"
    ended = subprocess.run(
        [sys.executable, "-c", f"{limited}; {run}", "serve", "--data-dir", str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    return ended.stderr


@pytest.mark.parametrize("room", [10, 20_000, 300_000])
def test_a_full_disk_is_refused_in_one_line(tmp_path: Path, room: int) -> None:
    assert "full" in _refused_with_little_room(tmp_path / "data", room)
