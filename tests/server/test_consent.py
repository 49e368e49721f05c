"""Device codes and the pages on which a person allows them."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from jupyter_arkitekt.testing import Serve, Served, claim, manifest, run_server

HOSTILE = "<img src=x onerror=alert(1)>&\"'"


def start(platform: Served, **described: Any) -> str:
    body = {"manifest": manifest(**described), "expiration_time_seconds": 300, "redirect_uris": []}
    answer = httpx.post(f"{platform.url}/lok/f/start/", json=body | {"requested_client_kind": "development"}).json()
    assert answer["status"] == "granted"
    assert re.fullmatch("[0-9a-f]{8}", answer["code"])
    return str(answer["code"])


def poll(platform: Served, code: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.post(f"{platform.url}/lok/f/challenge/", json={"code": code}).json()
    return answer


def decide(platform: Served, code: str, *, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
    return httpx.post(
        f"{platform.url}/configure/{code}",
        data={"decision": "allow", **form},
        headers={"Origin": platform.url, **(headers or {})},
        timeout=60,
    )


@pytest.fixture
def own(serve: Serve) -> Served:
    """A platform of one's own: wrong guesses count for a minute."""
    return serve()


def test_a_person_allows_an_app_by_a_one_time_token(platform: Served) -> None:
    code = start(platform)
    assert poll(platform, code)["status"] == "pending"
    page = httpx.get(f"{platform.url}/configure/{code}")
    assert page.status_code == 200
    assert code in page.text
    allowed = decide(platform, code, token=platform.redeem_token())
    assert allowed.status_code == 200
    granted = poll(platform, code)
    assert granted["status"] == "granted"
    assert poll(platform, code) == granted  # an answer that got lost can be asked for again
    assert claim(platform.url, granted["token"])["status"] == "granted"
    assert "signed in" in httpx.get(f"{platform.url}/configure/{code}").text


def test_a_one_time_token_allows_one_app(platform: Served) -> None:
    token = platform.redeem_token()
    first, second = start(platform, identifier="first"), start(platform, identifier="second")
    assert decide(platform, first, token=token).status_code == 200
    assert decide(platform, second, token=token).status_code == 403
    assert poll(platform, second)["status"] == "pending"


def test_a_person_allows_an_app_by_name_and_password(own: Served) -> None:
    added = run_server("user", "add", "ada", "--data-dir", str(own.data_dir), stdin="correct horse\n")
    assert added.returncode == 0, added.stderr
    code = start(own)
    wrong = decide(own, code, username="ada", password="wrong horse")
    assert wrong.status_code == 403
    assert 'role="alert"' in wrong.text
    assert "wrong horse" not in wrong.text
    assert decide(own, code, username="ada", password="correct horse").status_code == 200
    assert poll(own, code)["status"] == "granted"


def test_a_person_denies_an_app_without_signing_in(platform: Served) -> None:
    code = start(platform)
    assert decide(platform, code, decision="deny").status_code == 200
    assert poll(platform, code)["status"] == "denied"
    assert decide(platform, code, token=platform.redeem_token()).status_code == 200  # shows what was decided
    assert poll(platform, code)["status"] == "denied"


def test_nothing_is_allowed_without_signing_in(platform: Served) -> None:
    code = start(platform)
    assert decide(platform, code).status_code == 403
    assert decide(platform, code, decision="", token="x").status_code == 403
    assert poll(platform, code)["status"] == "pending"


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
def test_a_form_of_another_page_is_refused(platform: Served, origin: str) -> None:
    code = start(platform)
    answer = decide(platform, code, headers={"Origin": origin}, token=platform.redeem_token())
    assert answer.status_code == 403
    assert poll(platform, code)["status"] == "pending"


def test_a_code_is_entered_by_hand(platform: Served) -> None:
    code = start(platform)
    page = httpx.get(f"{platform.url}/device")
    assert page.status_code == 200
    assert '<label for="code">' in page.text
    entered = httpx.post(f"{platform.url}/device", data={"code": f" {code[:4].upper()} {code[4:]} "})
    assert entered.status_code == 303
    assert entered.headers["location"] == f"/configure/{code}"


def test_what_an_app_says_of_itself_is_shown_as_text(platform: Served) -> None:
    code = start(platform, identifier=HOSTILE, version=HOSTILE, scopes=["<b>"])
    page = httpx.get(f"{platform.url}/configure/{code}").text
    assert "<img" not in page
    assert "<b>" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 3  # title, heading, facts
    done = decide(platform, code, decision="deny").text
    assert "<img" not in done


def test_the_pages_load_nothing_and_let_nobody_frame_them(platform: Served) -> None:
    answer = httpx.get(f"{platform.url}/configure/{start(platform)}")
    assert 'href="/device"' in httpx.get(platform.url).text  # the way here from the platform's address
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    # With "no-referrer" browsers send "Origin: null" with the form.
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers
    assert not re.search(r"(src|href)=|@import|url\(|<script", answer.text)
    labelled = set(re.findall(r'<label for="(\w+)"', answer.text))
    assert labelled == set(re.findall(r'<input id="(\w+)"', answer.text))


def test_guessing_is_limited(own: Served) -> None:
    code = start(own)
    answers = [decide(own, code, username="ada", password=f"guess {number}").status_code for number in range(12)]
    assert answers[:10] == [403] * 10
    assert answers[-1] == 429
    assert decide(own, code, token=own.redeem_token()).status_code == 429
    assert httpx.post(f"{own.url}/device", data={"code": "00000000"}).status_code == 429
    assert poll(own, code)["status"] == "pending"
    errors = [poll(own, "ffffffff")["error"] for _ in range(61)]
    assert "too many" in errors[-1]


def test_unknown_and_unfit_device_codes_are_refused(platform: Served) -> None:
    assert poll(platform, "00000000")["status"] == "error"
    assert httpx.get(f"{platform.url}/configure/00000000").status_code == 404
    url = f"{platform.url}/lok/f/start/"
    for body in (
        {"manifest": manifest(), "expiration_time_seconds": 0},
        {"manifest": manifest(), "expiration_time_seconds": "soon"},
        {"manifest": manifest(), "requested_client_kind": "website", "redirect_uris": []},
        {"manifest": manifest(), "requested_client_kind": "nonsense"},
        {},
    ):
        assert httpx.post(url, json=body).json()["status"] == "error"


def test_a_code_survives_a_restart(serve: Serve) -> None:
    served = serve()
    code = start(served)
    served.restart()
    assert decide(served, code, token=served.redeem_token()).status_code == 200
    served.restart()
    assert poll(served, code)["status"] == "granted"
