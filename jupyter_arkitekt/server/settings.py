"""What a platform is told when it starts. Everything else it decides by itself."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

#: Service identifiers of the wire, by the name of the room that serves them.
SERVICES = {
    "mikro": "live.arkitekt.mikro",
    "rekuest": "live.arkitekt.rekuest",
    "s3": "live.arkitekt.s3",
}


def is_loopback(host: str) -> bool:
    """Say whether `host` (a name or an address, without brackets) is reached from this machine only."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one platform process.

    Attributes
    ----------
    data_dir
        Folder that holds the database, the objects and the secrets.
    host
        Address to bind to. On a loopback address only requests that name a loopback host are answered.
    port
        Port to bind to; 0 takes the port of the last run if it is free, else one that the system chooses.
    ready_file
        File to write once the platform answers.
    idle_seconds
        Seconds without a request or an open socket after which the platform ends itself; ``None``: never.
    name
        Name of the deployment, shown to people.
    origins
        Origins (``https://host:port``) of other web pages that may open websockets here.
    max_body
        Largest body of a request outside the object store, in bytes.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    ready_file: Path | None = None
    idle_seconds: float | None = None
    name: str = "arkitekt"
    origins: frozenset[str] = field(default_factory=frozenset)
    max_body: int = 8 * 1024 * 1024

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the platform."""
        return is_loopback(self.host)

    @property
    def database_file(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "arkitekt.db"

    @property
    def owner_file(self) -> Path:
        """File with the single-use redeem token of the owner."""
        return self.data_dir / "owner.token"
