"""`easy`: an app in one line."""

from __future__ import annotations

import hashlib
import sys
import uuid
import webbrowser

from jupyter_arkitekt import config
from jupyter_arkitekt.app._app import App, DeviceHook
from jupyter_arkitekt.errors import ConfigError
from jupyter_arkitekt.fakts import DeviceCode
from jupyter_arkitekt.models.fakts import Manifest


def easy(
    identifier: str,
    *,
    url: str | None = None,
    token: str | None = None,
    redeem_token: str | None = None,
    version: str = "0.1.0",
    scopes: list[str] | None = None,
    node_id: str | None = None,
    device_hook: DeviceHook | None = None,
) -> App:
    """Make an app; it signs in when it is entered.

    Parameters
    ----------
    identifier
        Name of the app, e.g. ``"org.example.segmenter"``, without "/".
    url
        Address of the server; ``FAKTS_URL`` when left out, and without that the local platform, which starts by itself.
    token
        Claim token of an earlier registration; ``FAKTS_TOKEN`` when left out.
    redeem_token
        Redeem token that the server's owner made; ``FAKTS_REDEEM_TOKEN`` when left out.
    version
        Version of the app.
    scopes
        OAuth scopes to ask for.
    node_id
        What names the machine; one app on two machines are two agents.
    device_hook
        Told about the page on which a person allows the app; by default it is opened and its address printed.

    Raises
    ------
    ConfigError
        If the identifier cannot name an app.

    Examples
    --------
    >>> app = easy("org.example.segmenter", url="http://127.0.0.1:8000")
    >>> app
    <App org.example.segmenter, not entered, for http://127.0.0.1:8000/>
    """
    try:
        manifest = Manifest(
            identifier=identifier, version=version, scopes=scopes or ["openid"], node_id=node_id or machine_id()
        )
    except ValueError:
        raise ConfigError(
            f"{identifier!r} (version {version!r}) cannot name an app: 1 to 255 characters without '/', and a version."
        ) from None
    return App(
        manifest,
        url or config.env(config.FAKTS_URL),
        claim_token=token or config.env(config.FAKTS_TOKEN),
        redeem_token=redeem_token or config.env(config.FAKTS_REDEEM_TOKEN),
        device_hook=device_hook or _open_page,
    )


def machine_id() -> str:
    """Return a stable name of this machine that does not say which one it is."""
    return hashlib.sha256(f"{config.host_name()}:{uuid.getnode():x}".encode()).hexdigest()[:32]


async def _open_page(code: DeviceCode) -> None:
    sys.stderr.write(f"Allow this app on {code.url} (code {code.code}).\n")
    sys.stderr.flush()
    webbrowser.open(code.url)
