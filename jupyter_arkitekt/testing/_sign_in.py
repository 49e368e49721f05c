"""Signing in with bare HTTP requests: a second opinion on what the client does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

#: What an app that uses everything requires.
REQUIREMENTS = [{"key": key, "service": f"live.arkitekt.{key}"} for key in ("mikro", "rekuest", "s3")]


def manifest(identifier: str = "test.app", version: str = "1.0", **more: Any) -> dict[str, Any]:
    """Return the self-description of an app."""
    return {
        "identifier": identifier,
        "version": version,
        "scopes": ["openid"],
        "requirements": REQUIREMENTS,
        "node_id": "a-node",
        **more,
    }


@dataclass
class SignedIn:
    """An app that is signed in.

    Attributes
    ----------
    url
        Address of the platform.
    token
        Its access token.
    config
        The configuration that it got.
    """

    url: str
    token: str
    config: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        """Headers of a request of this app."""
        return {"Authorization": f"Bearer {self.token}"}

    def graphql(self, service: str, query: str, **variables: Any) -> dict[str, Any]:
        """Run an operation and return the whole response."""
        body = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.url}/{service}/graphql", json=body, headers=self.headers, timeout=60)
        answer.raise_for_status()
        response: dict[str, Any] = answer.json()
        return response


def redeem(url: str, redeem_token: str, described: dict[str, Any] | None = None) -> dict[str, Any]:
    """Redeem a token and return the answer."""
    body = {"manifest": described or manifest(), "token": redeem_token}
    answer: dict[str, Any] = httpx.post(f"{url}/lok/f/redeem/", json=body, timeout=60).json()
    return answer


def claim(url: str, claim_token: str) -> dict[str, Any]:
    """Ask for the configuration behind a claim token and return the answer."""
    body = {"token": claim_token, "secure": False}
    answer: dict[str, Any] = httpx.post(f"{url}/lok/f/claim/", json=body, timeout=60).json()
    return answer


def access_token(config: dict[str, Any], scope: str = "openid") -> httpx.Response:
    """Ask for an access token as released clients do and return the answer."""
    auth = config["auth"]
    return httpx.post(
        auth["token_url"],
        data={"grant_type": "client_credentials", "client_secret": auth["client_secret"], "scope": scope},
        auth=(auth["client_id"], auth["client_secret"]),
        timeout=60,
    )


def sign_in(url: str, redeem_token: str, described: dict[str, Any] | None = None) -> SignedIn:
    """Redeem, claim, and get an access token."""
    config: dict[str, Any] = claim(url, redeem(url, redeem_token, described)["token"])["config"]
    return SignedIn(url, access_token(config).json()["access_token"], config)
