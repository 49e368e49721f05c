"""What a platform does after it answers, and what when that fails."""

from __future__ import annotations

import json
from pathlib import Path

from jupyter_arkitekt import config
from jupyter_arkitekt.server._process import Process
from jupyter_arkitekt.server._runtime import bind
from jupyter_arkitekt.server.app import build_app
from jupyter_arkitekt.server.settings import Settings


def test_a_room_that_cannot_be_prepared_ends_the_platform_and_is_named(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, ready_file=tmp_path / "ready.json")
    app = build_app(settings)
    prepared: list[str] = []

    async def fine() -> None:
        prepared.append("fine")

    async def broken() -> None:
        raise ValueError("Query.image has no resolver")

    app.state.platform.on_ready[:] = [fine, broken]
    bound = bind(settings)
    process = Process(app, settings, bound)
    try:
        process.run(sockets=[bound])
    finally:
        bound.close()
    assert prepared == ["fine"]
    assert "Query.image has no resolver" in str(process.failure)
    assert json.loads(config.runtime_file(tmp_path).read_text())["url"].startswith("http://127.0.0.1:")
