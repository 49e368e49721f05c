"""The administration from a terminal, while the platform runs and while it does not."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from jupyter_arkitekt.server.__main__ import main
from jupyter_arkitekt.testing import Served, manifest, redeem, run_server, sign_in, wait_for


def admin(data_dir: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return run_server(*arguments, "--data-dir", str(data_dir), stdin=stdin)


def test_a_token_is_printed_alone_and_works_while_the_platform_runs(platform: Served) -> None:
    made = admin(platform.data_dir, "token", "create")
    assert made.returncode == 0, made.stderr
    assert made.stderr == ""
    token = made.stdout.removesuffix("\n")
    assert token == token.strip()
    assert redeem(platform.url, token)["status"] == "granted"


def test_tokens_are_listed_without_their_secret_and_revoked(platform: Served) -> None:
    made = admin(platform.data_dir, "token", "create", "--uses", "3", "--expires", "3600").stdout.strip()
    listed = admin(platform.data_dir, "token", "list").stdout
    assert made not in listed
    newest = listed.splitlines()[0].split("\t")
    assert newest[2] == "3 uses left"
    assert admin(platform.data_dir, "token", "revoke", newest[0]).returncode == 0
    assert redeem(platform.url, made)["status"] == "error"
    again = admin(platform.data_dir, "token", "revoke", "999999")
    assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)


def test_a_token_can_be_made_before_the_first_start(tmp_path: Path) -> None:
    made = admin(tmp_path / "new", "token", "create")
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip()


def test_a_person_who_is_disabled_is_out_with_all_their_apps(platform: Served) -> None:
    assert admin(platform.data_dir, "user", "add", "grace", stdin="long enough\n").returncode == 0
    assert "grace" in admin(platform.data_dir, "user", "list").stdout
    app = sign_in(platform.url, platform.redeem_token("grace"), manifest("grace.app"))
    unused = platform.redeem_token("grace")
    assert app.graphql("mikro", "{ __typename }")["data"]
    assert admin(platform.data_dir, "user", "disable", "grace").returncode == 0
    wait_for(lambda: "errors" in app.graphql("mikro", "{ __typename }"), 30, "the token to be worth nothing")
    auth = app.config["auth"]
    answer = httpx.post(
        auth["token_url"],
        data={"grant_type": "client_credentials"},
        auth=(auth["client_id"], auth["client_secret"]),
    )
    assert answer.json()["error"] == "invalid_client"
    assert redeem(platform.url, unused)["status"] == "error"
    assert admin(platform.data_dir, "token", "create", "--user", "grace").returncode == 1
    assert admin(platform.data_dir, "user", "enable", "grace").returncode == 0
    wait_for(lambda: "errors" not in app.graphql("mikro", "{ __typename }"), 30, "the token to be good again")


def test_what_makes_no_sense_is_refused_in_one_line(
    platform: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = admin(platform.data_dir, "user", "list").stdout.split("\t")[0]
    for arguments, stdin in (
        (("user", "add", "short"), "short\n"),
        (("user", "add", "a b"), "long enough\n"),
        (("user", "add", owner), "long enough\n"),
        (("user", "passwd", "nobody"), "long enough\n"),
        (("user", "disable", owner), ""),
        (("token", "create", "--user", "nobody"), ""),
        (("token", "create", "--uses", "0"), ""),
        (("token", "create", "--expires", "-1"), ""),
    ):
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        assert main([*arguments, "--data-dir", str(platform.data_dir)]) == 1, arguments
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1, said
        assert "long enough" not in said
