"""Fakts over bare HTTP: discovery, redeem, claim, token, report."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from jupyter_arkitekt.testing import Served, access_token, claim, manifest, redeem, sign_in

KNOWN = "live.arkitekt.mikro"


def post(platform: Served, name: str, **options: Any) -> httpx.Response:
    return httpx.post(f"{platform.url}/lok/f/{name}/", timeout=60, **options)


def configure(platform: Served, **described: Any) -> dict[str, Any]:
    """Sign an app in as far as its configuration, and return the answer to its claim."""
    return claim(platform.url, redeem(platform.url, platform.redeem_token(), manifest(**described))["token"])


def test_the_platform_is_discovered_at_both_addresses(platform: Served) -> None:
    found = [httpx.get(f"{platform.url}{prefix}/.well-known/fakts") for prefix in ("", "/lok")]
    assert found[0].json() == found[1].json()
    assert found[0].headers["content-type"] == "application/json"
    facts = found[0].json()
    assert facts["name"]
    assert facts["protocol_version"] == "1"
    assert facts["base_url"] == f"{platform.url}/lok/f/"
    assert facts["claim"] == f"{platform.url}/lok/f/claim/"
    assert "retrieve_url" not in facts  # clients would redeem there


def test_answers_name_the_address_by_which_the_caller_came(platform: Served) -> None:
    port = urlsplit(platform.url).port
    facts = httpx.get(f"{platform.url}/.well-known/fakts", headers={"Host": f"localhost:{port}"}).json()
    assert facts["base_url"] == f"http://localhost:{port}/lok/f/"


@pytest.mark.parametrize(
    "host", ["rebound.example", "127.0.0.1.rebound.example", "rebound.example:80", "a b", "x@127.0.0.1"]
)
def test_a_page_that_rebinds_its_name_is_refused(platform: Served, host: str) -> None:
    answer = httpx.get(f"{platform.url}/.well-known/fakts", headers={"Host": host})
    assert answer.status_code in (400, 421)
    assert "base_url" not in answer.text


def test_a_redeem_token_gives_the_same_app_the_same_answer_and_another_app_none(platform: Served) -> None:
    token = platform.redeem_token()
    first = redeem(platform.url, token, manifest("one"))
    assert first["status"] == "granted"
    reordered = dict(reversed(manifest("one").items()))
    assert redeem(platform.url, token, reordered) == first
    second = redeem(platform.url, token, manifest("two"))
    assert second["status"] == "error"
    assert "already redeemed" in second["message"]


def test_a_redeem_token_may_have_more_uses(platform: Served) -> None:
    token = platform.redeem_token(uses=2)
    assert [redeem(platform.url, token, manifest(name))["status"] for name in ("one", "two", "three", "one")] == [
        "granted",
        "granted",
        "error",
        "granted",
    ]


def test_a_wrong_or_expired_redeem_token_is_refused(platform: Served) -> None:
    assert redeem(platform.url, "nonsense") == {"status": "error", "message": "invalid redeem token"}
    short = platform.redeem_token(expires=1e-6)
    assert redeem(platform.url, short) == {"status": "error", "message": "expired redeem token"}


def test_no_app_is_public(platform: Served) -> None:
    answer = post(platform, "retrieve", json={"manifest": manifest()}).json()
    assert answer["status"] == "error"
    assert "not public" in answer["message"]


@pytest.mark.parametrize(
    "broken",
    [
        {"identifier": ""},
        {"identifier": "a/b"},
        {"identifier": "x" * 256},
        {"version": None},
        {"scopes": [1]},
        {"requirements": [{"key": "mikro"}]},
        {"requirements": [{"key": "a", "service": KNOWN}] * 2},
    ],
    ids=str,
)
def test_a_manifest_that_makes_no_sense_is_refused(platform: Served, broken: dict[str, Any]) -> None:
    answer = redeem(platform.url, platform.redeem_token(), manifest() | broken)
    assert answer["status"] == "error"
    assert "manifest" in answer["message"]


def test_the_configuration_says_who_the_app_is_and_where_everything_is(platform: Served) -> None:
    requirements = [
        {"key": "my images", "service": KNOWN},
        {"key": "calls", "service": "live.arkitekt.rekuest"},
        {"key": "s3", "service": "live.arkitekt.s3"},
        {"key": "more", "service": "live.arkitekt.fluss", "optional": True},
    ]
    granted = redeem(platform.url, platform.redeem_token(), manifest(requirements=requirements, unknown="ignored"))
    answer = claim(platform.url, granted["token"])
    assert answer["status"] == "granted"
    config = answer["config"]
    assert config["auth"]["client_token"] == granted["token"]
    assert config["auth"]["scopes"] == ["openid"]
    assert config["statuses"] == {"my images": "granted", "calls": "granted", "s3": "granted", "more": "unavailable"}
    port = urlsplit(platform.url).port
    aliases = {key: instance["aliases"][0] for key, instance in config["instances"].items()}
    aliases["self"] = config["self"]["alias"]
    assert {key: alias["path"] for key, alias in aliases.items()} == {
        "my images": "mikro",
        "calls": "rekuest",
        "s3": None,
        "self": "lok",
    }
    for alias in aliases.values():
        assert (alias["ssl"], alias["host"], alias["port"]) == (False, "127.0.0.1", port)
        place = f"{platform.url}/{alias['path']}" if alias["path"] else platform.url
        assert httpx.get(f"{place}/{alias['challenge']}").status_code == 200


def test_a_service_that_is_not_here_is_refused_when_it_is_required(platform: Served) -> None:
    answer = configure(platform, requirements=[{"key": "x", "service": "live.arkitekt.kabinet"}])
    assert answer["status"] == "error"
    assert "live.arkitekt.kabinet" in answer["message"]


def test_a_wrong_claim_token_is_refused(platform: Served) -> None:
    assert claim(platform.url, "nonsense") == {"status": "error", "message": "no client for this token"}


def test_the_same_app_of_a_person_is_one_client_and_each_registration_keeps_its_secret(platform: Served) -> None:
    first, again, other = (configure(platform, version=version)["config"] for version in ("7", "7", "8"))
    assert first["auth"]["client_id"] == again["auth"]["client_id"] != other["auth"]["client_id"]
    assert first["auth"]["client_secret"] != again["auth"]["client_secret"]
    assert [access_token(config).status_code for config in (first, again, other)] == [200, 200, 200]


def test_an_access_token_has_exactly_the_scopes_that_were_asked_for(platform: Served) -> None:
    config = configure(platform, scopes=["openid", "profile", "email"])["config"]
    some = access_token(config, "email openid").json()
    assert some["token_type"] == "Bearer"
    assert some["expires_in"] > 0
    assert set(some["scope"].split()) == {"email", "openid"}
    assert "scope" not in access_token(config, "").json()
    refused = access_token(config, "openid admin")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


def test_wrong_credentials_get_no_access_token(platform: Served) -> None:
    auth = configure(platform)["config"]["auth"]
    form = {"grant_type": "client_credentials", "client_secret": auth["client_secret"], "scope": "openid"}
    wrong_pairs = [(auth["client_id"], "wrong"), ("wrong", auth["client_secret"]), (auth["client_id"], "")]
    for credentials in wrong_pairs:
        answer = httpx.post(auth["token_url"], data=form, auth=credentials)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    for header in ("Basic !", f"Basic {base64.b64encode(b'no colon').decode()}", "Basic"):
        answer = httpx.post(auth["token_url"], data=form, headers={"Authorization": header})
        assert answer.status_code == 401
    right = (auth["client_id"], auth["client_secret"])
    password = httpx.post(auth["token_url"], data=form | {"grant_type": "password"}, auth=right)
    assert (password.status_code, password.json()["error"]) == (400, "unsupported_grant_type")


def test_a_report_is_taken_from_those_who_are_signed_in(platform: Served) -> None:
    auth = configure(platform)["config"]["auth"]
    report = {"alias_reports": {"mikro": {"alias_id": "6", "reason": None, "valid": True}}, "functional": True}
    answer = httpx.post(auth["report_url"], json={"token": auth["client_token"], **report})
    assert (answer.status_code, answer.json()["status"]) == (200, "reported")
    assert httpx.post(auth["report_url"], json={"token": "nonsense", **report}).json()["status"] == "error"


@pytest.mark.parametrize("name", ["start", "challenge", "redeem", "retrieve", "claim", "report"])
def test_malformed_bodies_and_wrong_methods_are_answered_as_upstream_does(platform: Served, name: str) -> None:
    key = "message" if name in ("claim", "report") else "error"
    for body in (b"{", b"[]", b'"x"', b"\xff"):
        answer = post(platform, name, content=body)
        assert answer.status_code == 200
        assert answer.json()["status"] == "error"
        assert answer.json()[key].startswith("Malformed request")
    assert post(platform, name, content=b" " * 300_000).status_code == 413
    assert httpx.get(f"{platform.url}/lok/f/{name}/").status_code == 405


def test_signing_in_through_all_steps_reaches_a_service(platform: Served) -> None:
    app = sign_in(platform.url, platform.redeem_token(), manifest("whole.way"))
    assert app.graphql("rekuest", "{ __typename }") == {"data": {"__typename": "Query"}}
