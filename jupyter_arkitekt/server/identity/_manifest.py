"""What an app says about itself: checked, trimmed to what we keep, and hashed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from jupyter_arkitekt.server.identity._caller import IdentityError

_MAX_ITEMS = 200
_MAX_TEXT = 255
_MAX_DESCRIPTION = 2000


@dataclass(frozen=True, slots=True)
class Requirement:
    """A service that the app needs, under a key of its own."""

    key: str
    service: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """The self-description of an app."""

    identifier: str
    version: str
    scopes: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    node_id: str | None
    description: str | None

    @property
    def node(self) -> str:
        """Hash of the machine's id, empty when the app named none."""
        return hashlib.sha256(self.node_id.encode()).hexdigest() if self.node_id else ""

    def to_json(self) -> dict[str, Any]:
        """Return what is stored, in an order that does not depend on the app's."""
        return {
            "identifier": self.identifier,
            "version": self.version,
            "scopes": sorted(self.scopes),
            "requirements": [
                {"key": item.key, "service": item.service, "optional": item.optional}
                for item in sorted(self.requirements, key=lambda item: item.key)
            ],
            "node_id": self.node_id,
            "description": self.description,
        }

    def hash(self) -> str:
        """Return the SHA-256 of what is stored."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()


def read_manifest(value: Any) -> Manifest:
    """Read a manifest from outside; keys that we do not know are ignored.

    Raises
    ------
    IdentityError
        If something that we need is missing or has another type.
    """
    if not isinstance(value, dict):
        raise IdentityError("the manifest is missing")
    identifier = _text(value, "identifier")
    if "/" in identifier:
        raise IdentityError("the manifest's identifier must not contain '/'")
    scopes = _list(value, "scopes")
    if not all(isinstance(scope, str) and scope and not any(c.isspace() for c in scope) for scope in scopes):
        raise IdentityError("the manifest's scopes have to be words")
    requirements = tuple(_requirement(item) for item in _list(value, "requirements"))
    if len({item.key for item in requirements}) != len(requirements):
        raise IdentityError("two requirements of the manifest have the same key")
    return Manifest(
        identifier=identifier,
        version=_text(value, "version"),
        scopes=tuple(dict.fromkeys(scopes)),
        requirements=requirements,
        node_id=_optional(value, "node_id", _MAX_TEXT),
        description=_optional(value, "description", _MAX_DESCRIPTION),
    )


def _requirement(value: Any) -> Requirement:
    if not isinstance(value, dict):
        raise IdentityError("a requirement of the manifest is no object")
    return Requirement(_text(value, "key"), _text(value, "service"), value.get("optional") is True)


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str) or not 0 < len(text) <= _MAX_TEXT:
        raise IdentityError(f"the manifest's {key!r} has to be a text of 1 to {_MAX_TEXT} characters")
    return text


def _optional(value: dict[str, Any], key: str, longest: int) -> str | None:
    text = value.get(key)
    if text is None:
        return None
    if not isinstance(text, str) or len(text) > longest:
        raise IdentityError(f"the manifest's {key!r} has to be a text of at most {longest} characters")
    return text


def _list(value: dict[str, Any], key: str) -> list[Any]:
    items = value.get(key)
    if items is None:
        return []
    if not isinstance(items, list) or len(items) > _MAX_ITEMS:
        raise IdentityError(f"the manifest's {key!r} has to be a list of at most {_MAX_ITEMS}")
    return items
