"""Libraries that take their time when they are first loaded, loaded where nobody waits for the background loop."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module


async def load_zarr() -> None:
    """Have zarr loaded; half a second the first time, in a thread."""
    name = "zarr.api.asynchronous"
    if name not in sys.modules:
        await asyncio.to_thread(import_module, name)
