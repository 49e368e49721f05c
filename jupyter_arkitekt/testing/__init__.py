"""Helpers for tests: of this package, and of apps that use it."""

from jupyter_arkitekt.testing._hosting import Hosting, hosting, wait_for_action
from jupyter_arkitekt.testing._platform import Serve, Served, run_server, start_platform
from jupyter_arkitekt.testing._sign_in import SignedIn, access_token, claim, manifest, redeem, sign_in
from jupyter_arkitekt.testing._waiting import wait_for

__all__ = [
    "Hosting",
    "Serve",
    "Served",
    "SignedIn",
    "access_token",
    "claim",
    "hosting",
    "manifest",
    "redeem",
    "run_server",
    "sign_in",
    "start_platform",
    "wait_for",
    "wait_for_action",
]
