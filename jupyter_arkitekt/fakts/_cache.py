"""Sign-ins that are kept on this machine: one file each, readable by its owner only."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path

from pydantic import ValidationError

from jupyter_arkitekt import config
from jupyter_arkitekt.models.fakts import ActiveFacts, CachedFacts, Manifest


class FactsCache:
    """The sign-in of one app at one server.

    Parameters
    ----------
    url
        The server's address, as it was asked for.
    manifest
        The app; another manifest is another sign-in.
    redeem_token
        The token that is given to sign in, if one is. Another token may be another person and a wrong one is nobody, so
        what is kept counts only if this very token brought it.
    """

    def __init__(self, url: str, manifest: Manifest, redeem_token: str | None = None) -> None:
        self._redeemed = None if redeem_token is None else hashlib.sha256(redeem_token.encode()).hexdigest()
        self._key = hashlib.sha256(f"{url.rstrip('/')}:{manifest.hash()}".encode()).hexdigest()
        self.path = folder() / f"{self._key}.json"

    def read(self) -> CachedFacts | None:
        """Return what is kept, ``None`` when there is nothing, or nothing usable."""
        try:
            kept = CachedFacts.model_validate_json(self.path.read_bytes())
        except (OSError, ValidationError):
            return None
        if self._redeemed is not None and kept.redeemed != self._redeemed:
            return None
        return kept if kept.hash == self._key else None

    def write(self, facts: ActiveFacts) -> None:
        """Keep `facts`, in one step, and which token brought them.

        Raises
        ------
        ConfigError
            If the folder cannot be used.
        """
        config.private_dir(self.path.parent)
        redeemed = self._redeemed or self._brought_by(facts)
        kept = CachedFacts(fakts=facts, created=time.time(), hash=self._key, redeemed=redeemed)
        text = kept.model_dump_json(by_alias=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".writing-")  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _brought_by(self, facts: ActiveFacts) -> str | None:
        """Return the token that brought these very credentials, when they are written again without it."""
        kept = self.read()
        return kept.redeemed if kept is not None and kept.fakts.auth.client_id == facts.auth.client_id else None

    def forget(self) -> None:
        """Drop what is kept."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()


def folder() -> Path:
    """Return the folder of all sign-ins."""
    return config.cache_dir() / "fakts"


def forget_all() -> int:
    """Drop all sign-ins of this user on this machine and return how many there were."""
    found = list(folder().glob("*.json"))
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
