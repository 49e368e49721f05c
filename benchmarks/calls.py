"""Calls: a function in another process and back, beside a bare websocket."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import websockets

from benchmarks._rows import Row, running
from jupyter_arkitekt import bridge
from jupyter_arkitekt.app import easy
from jupyter_arkitekt.rekuest import acall, afind
from jupyter_arkitekt.testing import hosting, wait_for_action

_HOSTED = '''
from jupyter_arkitekt.rekuest import register

@register(name="Add", concurrency="parallel")
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b
'''


def rows() -> list[Row]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as served:
        with (
            hosting(served, _HOSTED),
            easy("org.example.caller", url=served.url, redeem_token=served.redeem_token()),
        ):
            wait_for_action("Add")
            one, _ = bridge.sync(_calls(1, 300))
            sixteen, rate = bridge.sync(_calls(16, 1600))
        echo, echo_rate = asyncio.run(_echo())
    return [
        Row("a call and back, 1 caller, p50", f"{one * 1000:.1f} ms", f"bare websocket echo: {echo * 1000:.2f} ms"),
        Row(
            "calls per second, 16 callers",
            f"{rate:.0f}/s, p50 {sixteen * 1000:.1f} ms",
            f"bare websocket echo: {echo_rate:.0f}/s",
        ),
    ]


async def _calls(callers: int, number: int) -> tuple[float, float]:
    action = await afind("Add")

    async def call() -> None:
        assert await acall(action, 40, 2) == 42

    await call()
    return await _many(call, callers, number)


async def _many(work: Callable[[], Awaitable[None]], callers: int, number: int) -> tuple[float, float]:
    times: list[float] = []

    async def caller() -> None:
        for _ in range(number // callers):
            began = time.perf_counter()
            await work()
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return statistics.median(times), len(times) / (time.perf_counter() - began)


async def _echo() -> tuple[float, float]:
    async def back(connection: websockets.ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with websockets.serve(back, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with websockets.connect(f"ws://127.0.0.1:{port}", compression=None) as connection:

            async def once() -> None:
                await connection.send("x" * 200)
                await connection.recv()

            return await _many(once, 1, 2000)
