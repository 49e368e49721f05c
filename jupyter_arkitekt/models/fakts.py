"""Words of fakts: what an app says of itself, and what a server answers. All without I/O."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FaktsModel(BaseModel):
    """Base of what the fakts endpoints answer; their keys are snake_case. What a newer server adds is ignored."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class Requirement(FaktsModel):
    """A service that an app needs, under the app's own key for it."""

    key: str
    service: str
    optional: bool = False
    description: str | None = None


#: The services that this package uses.
REQUIREMENTS = tuple(Requirement(key=key, service=f"live.arkitekt.{key}") for key in ("mikro", "rekuest", "s3"))


class Manifest(FaktsModel):
    """What an app says of itself.

    Attributes
    ----------
    identifier
        Name of the app, without "/".
    version
        Version of the app.
    scopes
        OAuth scopes that it asks for.
    node_id
        Stable name of the machine, or of the notebook, that it runs in.
    """

    identifier: str = Field(min_length=1, max_length=255, pattern=r"^[^/\s][^/]*$")
    version: str = Field(min_length=1)
    scopes: list[str] = ["openid"]
    logo: str | None = None
    requirements: list[Requirement] = list(REQUIREMENTS)
    node_id: str | None = None
    public_sources: list[dict[str, str]] = []
    description: str | None = None

    def to_wire(self) -> dict[str, object]:
        """Return the manifest as it is sent."""
        return self.model_dump(mode="json")

    def hash(self) -> str:
        """Return the SHA-256 of the manifest in canonical order, the key of what is kept for it."""
        canonical = self.to_wire()
        canonical["requirements"] = [r.model_dump() for r in sorted(self.requirements, key=lambda r: r.key)]
        canonical["scopes"] = sorted(self.scopes)
        return hashlib.sha256(json.dumps(canonical, sort_keys=True).encode()).hexdigest()


class Discovery(FaktsModel):
    """The well-known document of a server."""

    name: str
    base_url: str
    description: str | None = None
    version: str | None = None
    protocol_version: str = "1"
    retrieve_url: str | None = None
    configure_url: str | None = None
    capabilities: dict[str, object] = {}


class Alias(FaktsModel):
    """One address under which a service may be reached."""

    id: str
    host: str
    port: int | None = None
    ssl: bool = False
    path: str | None = None
    challenge: str = ""

    def url(self, suffix: str = "") -> str:
        """Return the address, with `suffix` below it."""
        port = f":{self.port}" if self.port else ""
        parts = [part.lstrip("/") for part in (self.path or "", suffix)]
        below = "".join(f"/{part}" for part in parts if part)
        return f"{'https' if self.ssl else 'http'}://{self.host}{port}{below}"


class Instance(FaktsModel):
    """One service that the app may use."""

    service: str
    identifier: str
    aliases: list[Alias] = []


class SelfFacts(FaktsModel):
    """What the server says of itself."""

    deployment_name: str
    alias: Alias


class AuthFacts(FaktsModel):
    """How the app gets access tokens. Secret."""

    client_token: str = Field(repr=False)
    client_id: str
    client_secret: str = Field(repr=False)
    token_url: str
    report_url: str | None = None
    scopes: list[str] = ["openid", "profile", "email"]
    user: str | None = None  # a word of this platform's; others put it into the access token


class ActiveFacts(FaktsModel):
    """The configuration of a signed-in app."""

    self_: SelfFacts = Field(alias="self")
    auth: AuthFacts
    instances: dict[str, Instance] = {}
    statuses: dict[str, str] = {}


class CachedFacts(FaktsModel):
    """What is kept of a sign-in on this machine."""

    fakts: ActiveFacts
    created: float
    hash: str
    redeemed: str | None = None  # SHA-256 of the redeem token that brought it


#: What a person decided about a device code.
DeviceState = Literal["pending", "granted", "denied", "expired", "error"]
