"""Signing in at a server, by every way there is, and what can go wrong on it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from jupyter_arkitekt import config, context
from jupyter_arkitekt.app import App, SignIn, connect_kernel, easy
from jupyter_arkitekt.errors import (
    ArkitektError,
    ConnectError,
    NotArkitektError,
    NotConnectedError,
    NotFoundError,
    SignInError,
)
from jupyter_arkitekt.fakts import DeviceCode
from jupyter_arkitekt.mikro import get_image, images
from jupyter_arkitekt.testing import Served, wait_for


def _allow(url: str, platform: Served, decision: str = "allow") -> httpx.Response:
    """Do what a person does on the consent page."""
    return httpx.post(url, data={"token": platform.redeem_token(), "decision": decision})


def test_a_redeem_token_signs_in_once_and_the_sign_in_is_kept(platform: Served) -> None:
    token = platform.redeem_token()
    with easy("org.example.kept", url=platform.url, redeem_token=token) as app:
        assert app.url == platform.url
        assert token not in repr(app)
        images(limit=1)
    with easy("org.example.kept", url=platform.url):
        images(limit=1)


async def test_the_async_doors_do_the_same(platform: Served) -> None:
    async with easy("org.example.async", url=platform.url, redeem_token=platform.redeem_token()) as app:
        assert context.current() is app
    assert context.current_or_none() is not app


def test_enter_and_exit_are_the_with_in_two_halves(platform: Served) -> None:
    app = easy("org.example.halves", url=platform.url, redeem_token=platform.redeem_token())
    assert app.enter() is app
    images(limit=1)
    app.exit()
    with pytest.raises(NotConnectedError, match="not entered"):
        app.service("mikro")


@pytest.mark.parametrize("given", ["by environment", "by argument"])
def test_a_wrong_redeem_token_is_refused_in_one_line(
    platform: Served, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    if given == "by environment":
        monkeypatch.setenv(config.FAKTS_URL, platform.url)
        monkeypatch.setenv(config.FAKTS_REDEEM_TOKEN, "wrong-token")
        app = easy("org.example.wrong")
    else:
        app = easy("org.example.wrong", url=platform.url, redeem_token="wrong-token")
    with pytest.raises(SignInError, match="invalid redeem token") as refused:
        app.enter()
    assert "wrong-token" not in str(refused.value)
    assert "arkitekt token create" in str(refused.value)


def test_a_wrong_redeem_token_is_refused_where_a_sign_in_is_kept_too(platform: Served) -> None:
    with easy("org.example.again", url=platform.url, redeem_token=platform.redeem_token()):
        pass
    with pytest.raises(SignInError, match="invalid redeem token"):
        easy("org.example.again", url=platform.url, redeem_token="wrong-token").enter()
    with easy("org.example.again", url=platform.url):
        images(limit=1)


async def test_an_app_entered_in_a_cell_that_awaits_is_there_in_the_next_one(platform: Served) -> None:
    kernel = easy("org.example.kernel", url=platform.url, redeem_token=platform.redeem_token())
    inner = easy("org.example.inner", url=platform.url, redeem_token=platform.redeem_token())
    await asyncio.create_task(kernel.aenter())  # a task has context variables of its own, like a cell
    await asyncio.create_task(inner.aenter())
    assert context.current() is inner
    await asyncio.create_task(inner.aexit())
    assert context.current() is kernel
    await asyncio.create_task(kernel.aexit())
    assert context.current_or_none() is None


def test_one_object_of_a_kind_is_made_whoever_asks_at_once(app: App) -> None:
    made: list[object] = []

    def make() -> object:
        threading.Event().wait(0.05)  # long enough for the others to come
        made.append(object())
        return made[-1]

    with ThreadPoolExecutor(4) as threads:
        got = list(threads.map(lambda _: app.slot("test", make), range(4)))
    assert len(made) == 1
    assert set(got) == set(made)


def test_an_object_that_cannot_be_closed_does_not_keep_the_others_open(platform: Served) -> None:
    class Held:
        def __init__(self, error: Exception | None) -> None:
            self.closed = False
            self._error = error

        async def aclose(self) -> None:
            self.closed = True
            if self._error is not None:
                raise self._error

    good, bad = Held(None), Held(ValueError("cannot"))
    with easy("org.example.closing", url=platform.url, redeem_token=platform.redeem_token()) as app:
        app.slot("good", lambda: good)
        app.slot("bad", lambda: bad)
    assert good.closed
    assert not app.entered


def test_a_used_redeem_token_is_refused_to_another_app(platform: Served) -> None:
    token = platform.redeem_token()
    with easy("org.example.first", url=platform.url, redeem_token=token):
        pass
    with pytest.raises(SignInError, match="already redeemed"):
        easy("org.example.second", url=platform.url, redeem_token=token).enter()


def test_a_server_that_was_set_up_anew_is_signed_in_to_again(serve: Callable[..., Served], tmp_path: Path) -> None:
    first = serve(data_dir=tmp_path / "one")
    with easy("org.example.moved", url=first.url, redeem_token=first.redeem_token()):
        pass
    port = first.url.rpartition(":")[2]
    first.stop()
    second = serve("--port", port, data_dir=tmp_path / "two")
    with easy("org.example.moved", url=second.url, redeem_token=second.redeem_token()):
        images(limit=1)


def test_nobody_at_the_address(platform: Served) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ConnectError, match=rf"127\.0\.0\.1:{port}.*Check the address"):
        easy("org.example.nobody", url=f"http://127.0.0.1:{port}", redeem_token="x").enter()


class _Other(BaseHTTPRequestHandler):
    """A web server that is no Arkitekt server."""

    def do_GET(self) -> None:
        body = b"<html>hello</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def other_server() -> Iterator[str]:
    """The address of a web server that is no Arkitekt server."""
    server = HTTPServer(("127.0.0.1", 0), _Other)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_somebody_else_at_the_address(other_server: str) -> None:
    with pytest.raises(NotArkitektError, match="no Arkitekt server"):
        easy("org.example.other", url=other_server, redeem_token="x").enter()


def test_a_server_that_dies_in_the_middle_is_one_clear_error(serve: Callable[..., Served]) -> None:
    served = serve()
    with easy("org.example.orphan", url=served.url, redeem_token=served.redeem_token()):
        images(limit=1)
        served.kill()
        with pytest.raises(ConnectError, match="does not answer"):
            images(limit=1)


def test_an_image_that_does_not_exist_is_a_lookup_error(app: App) -> None:
    with pytest.raises(NotFoundError, match="999999"):
        get_image(999999)


def test_a_device_code_waits_for_a_person(platform: Served) -> None:
    seen: list[DeviceCode] = []

    async def allow(code: DeviceCode) -> None:
        seen.append(code)
        _allow(code.url, platform).raise_for_status()

    with easy("org.example.device", url=platform.url, device_hook=allow):
        images(limit=1)
    assert seen[0].url.endswith(f"/configure/{seen[0].code}")


def test_a_denied_device_code_is_a_refusal(platform: Served) -> None:
    async def deny(code: DeviceCode) -> None:
        _allow(code.url, platform, "deny").raise_for_status()

    with pytest.raises(SignInError, match="denied"):
        easy("org.example.denied", url=platform.url, device_hook=deny).enter()


def test_a_kernel_without_a_sign_in_gets_one_that_does_not_block(platform: Served) -> None:
    sign_in = connect_kernel(platform.url)
    assert isinstance(sign_in, SignIn)
    told: list[str] = []
    sign_in.observe(lambda s: told.append(s.state))
    assert sign_in.state == "pending"
    assert context.current_or_none() is None
    page = httpx.get(sign_in.url).raise_for_status().text
    assert sign_in.code in page
    _allow(sign_in.url, platform).raise_for_status()
    wait_for(lambda: sign_in.state == "granted", 60, "the sign-in")
    assert told == ["granted"]
    current = context.current()
    assert current is sign_in.app
    images(limit=1)
    sign_in.app.exit()


@pytest.mark.parametrize(("decision", "state"), [("deny", "denied"), ("", "cancelled")])
def test_a_kernels_sign_in_can_end_without_one(platform: Served, decision: str, state: str) -> None:
    sign_in = connect_kernel(platform.url)
    assert isinstance(sign_in, SignIn)
    if decision:
        _allow(sign_in.url, platform, decision)
    else:
        sign_in.cancel()
    wait_for(lambda: sign_in.state == state, 60, f"the sign-in to be {state}")
    with pytest.raises(ArkitektError):
        context.current()


def test_the_consent_page_shows_markup_as_text_and_takes_only_its_own_forms(platform: Served) -> None:
    manifest = {
        "identifier": "<b>evil</b>",
        "version": "<script>alert(1)</script>",
        "scopes": ["openid"],
        "requirements": [],
    }
    manifest["identifier"] = "<b onload=x>evil"
    started = httpx.post(f"{platform.url}/lok/f/start/", json={"manifest": manifest}).json()
    assert started["status"] == "granted", started
    page = httpx.get(f"{platform.url}/configure/{started['code']}")
    assert "<b onload" not in page.text
    assert "<script>" not in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    foreign = httpx.post(str(page.url), data={"decision": "deny"}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    wrong = httpx.post(str(page.url), data={"username": "root", "password": "wrong-password", "decision": "allow"})
    assert wrong.status_code == 403
    assert "wrong" in wrong.text
    assert httpx.get(f"{platform.url}/configure/00000000").status_code == 404
