"""Signing an app in: discovery, grants, configuration, reachable addresses, access tokens."""

from __future__ import annotations

from jupyter_arkitekt.fakts._cache import FactsCache
from jupyter_arkitekt.fakts._claim import choose_aliases, claim
from jupyter_arkitekt.fakts._discovery import discover
from jupyter_arkitekt.fakts._grants import DeviceCode, redeem
from jupyter_arkitekt.fakts._tokens import Tokens

__all__ = ["DeviceCode", "FactsCache", "Tokens", "choose_aliases", "claim", "discover", "redeem"]
