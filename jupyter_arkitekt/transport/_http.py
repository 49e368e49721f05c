"""The HTTP client that all requests of this process share, one per event loop."""

from __future__ import annotations

import asyncio
import importlib.util
import ssl
import sys
import weakref
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_arkitekt import bridge

if TYPE_CHECKING:
    import httpx

#: What a name is for the machine itself.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

#: Seconds for a connection, and seconds without a byte.
CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 30.0

#: Seconds that an idle connection is kept: less than the 5 s after which uvicorn closes it, so that a request never
#: meets a connection which is just being closed.
KEEP_ALIVE = 3.0

_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[bool, bool], httpx.AsyncClient]] = (
    weakref.WeakKeyDictionary()
)


def load_httpx() -> None:
    """Import httpx without its command line, which loads rich and pygments and is two thirds of the time."""
    if "sniffio" not in sys.modules and importlib.util.find_spec("sniffio") is None:
        # httpcore looks for it twice per request, and a search that fails costs a millisecond.
        sys.modules["sniffio"] = None  # type: ignore[assignment]
    if "httpx" in sys.modules:
        return
    placeholder = "httpx._main"
    sys.modules[placeholder] = None  # type: ignore[assignment]  # makes the import of its command line an ImportError
    try:
        import httpx  # noqa: F401 - loaded for what follows
    finally:
        del sys.modules[placeholder]


def is_loopback(url: str) -> bool:
    """Say whether `url` names the machine itself."""
    return (urlsplit(url).hostname or "") in LOOPBACK


def client_for(url: str) -> httpx.AsyncClient:
    """Return this loop's client for `url`; a proxy of the environment is never asked for the machine itself."""
    load_httpx()
    import httpx

    loop = asyncio.get_running_loop()
    per_loop = _clients.setdefault(loop, {})
    encrypted, proxied = urlsplit(url).scheme != "http", not is_loopback(url)
    client = per_loop.get((encrypted, proxied))
    if client is None:
        client = per_loop[encrypted, proxied] = httpx.AsyncClient(
            # An empty context costs nothing where no certificate is ever looked at; redirects are not followed.
            verify=True if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            timeout=httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=16, keepalive_expiry=KEEP_ALIVE),
            trust_env=proxied,
            headers={"User-Agent": "jupyter-arkitekt"},
        )
    if loop is bridge.loop():
        bridge.at_close(close_clients)
    return client


async def close_clients() -> None:
    """Close what `client_for` opened on this loop."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.aclose()
