"""Fakts without a server: addresses, manifests, what is kept."""

from __future__ import annotations

import json
import stat

import pytest

from jupyter_arkitekt.errors import ConfigError, redact
from jupyter_arkitekt.fakts import FactsCache
from jupyter_arkitekt.fakts._discovery import candidates
from jupyter_arkitekt.fakts._grants import configure_page
from jupyter_arkitekt.models.fakts import ActiveFacts, Alias, Discovery, Manifest

FACTS = {
    "self": {"deployment_name": "lab", "alias": {"id": "self", "host": "h", "ssl": False}},
    "auth": {"client_token": "t", "client_id": "i", "client_secret": "hush", "token_url": "http://h/t"},
    "instances": {},
    "later": {"unknown": True},
}


@pytest.mark.parametrize(
    ("typed", "tried"),
    [
        ("http://127.0.0.1:8000", ["http://127.0.0.1:8000/"]),
        ("https://lab.example.org/arkitekt/", ["https://lab.example.org/arkitekt/"]),
        (" lab.example.org ", ["https://lab.example.org/", "http://lab.example.org/"]),
    ],
)
def test_an_address_without_a_scheme_is_tried_safely_first(typed: str, tried: list[str]) -> None:
    assert candidates(typed) == tried


@pytest.mark.parametrize("typed", ["", "ftp://lab", "http://", "http://lab:99999", "http://lab:x"])
def test_what_is_no_address_is_refused_before_anything_is_sent(typed: str) -> None:
    with pytest.raises(ConfigError, match="no address of a server"):
        candidates(typed)


def test_aliases_become_addresses() -> None:
    alias = Alias(id="1", host="lab", port=8443, ssl=True, path="/mikro")
    assert alias.url("graphql") == "https://lab:8443/mikro/graphql"
    assert Alias(id="2", host="lab").url() == "http://lab"


def test_the_consent_page_is_found_as_upstream_does() -> None:
    assert configure_page(Discovery(name="n", base_url="http://h/lok/f/")) == "http://h/configure/"
    told = Discovery(name="n", base_url="http://h/lok/f/", configure_url="http://ui/allow")
    assert configure_page(told) == "http://ui/allow/"


def test_a_manifests_hash_does_not_depend_on_order() -> None:
    one = Manifest(identifier="a", version="1", scopes=["x", "y"])
    other = Manifest(identifier="a", version="1", scopes=["y", "x"], requirements=list(reversed(one.requirements)))
    assert one.hash() == other.hash()
    assert one.hash() != Manifest(identifier="a", version="2", scopes=["x", "y"]).hash()


def test_a_kept_sign_in_is_the_owners_only_and_a_damaged_one_is_none() -> None:
    cache = FactsCache("http://lab", Manifest(identifier="a", version="1"))
    assert cache.read() is None
    cache.write(ActiveFacts.model_validate(FACTS))
    kept = cache.read()
    assert kept is not None
    assert kept.fakts.auth.client_secret == "hush"
    assert stat.S_IMODE(cache.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.path.parent.stat().st_mode) == 0o700
    text = cache.path.read_text()
    for damaged in ("", "{", text[: len(text) // 2], json.dumps({**json.loads(text), "hash": "other"})):
        cache.path.write_text(damaged)
        assert cache.read() is None
    cache.forget()
    cache.forget()


def test_secrets_are_in_no_repr_and_no_address() -> None:
    assert "hush" not in repr(ActiveFacts.model_validate(FACTS))
    assert redact("http://me:hush@lab:80/x?token=hush#hush") == "http://lab:80/x"
