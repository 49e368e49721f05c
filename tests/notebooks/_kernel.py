"""A real kernel to run cells in, and what they displayed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

#: Seconds that a cell may take on a loaded machine.
PATIENCE = 90.0


@dataclass
class Outputs:
    """What a cell, or what it left behind, displayed.

    Attributes
    ----------
    printed
        Standard output and error.
    bundles
        MIME bundles, in order; one that was updated is the newer one.
    error
        Name and value of what the cell raised, empty when it raised nothing.
    """

    printed: str = ""
    bundles: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""

    @property
    def text(self) -> str:
        """Everything that is text."""
        return "\n".join([self.printed, *(str(bundle.get("text/plain", "")) for bundle in self.bundles)]).strip()

    @property
    def html(self) -> str:
        """Everything that is HTML."""
        return "\n".join(str(bundle.get("text/html", "")) for bundle in self.bundles)


class Kernel:
    """A kernel with its client."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def run(self, code: str) -> Outputs:
        """Run a cell to its end."""
        outputs = Outputs()
        places: dict[str, int] = {}

        def take(message: dict[str, Any]) -> None:
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                outputs.printed += content["text"]
            elif kind == "error":
                outputs.error = f"{content['ename']}: {content['evalue']}"
            elif kind in ("display_data", "execute_result", "update_display_data"):
                place = content.get("transient", {}).get("display_id")
                if place in places:
                    outputs.bundles[places[place]] = content["data"]
                    return
                if place:
                    places[place] = len(outputs.bundles)
                outputs.bundles.append(content["data"])

        self._client.execute_interactive(code, timeout=PATIENCE, output_hook=take, allow_stdin=False)
        return outputs

    def ask(self, expression: str) -> str:
        """Return the repr of `expression`."""
        reply = self._client.execute_interactive(
            "", user_expressions={"asked": expression}, timeout=PATIENCE, output_hook=lambda _: None, allow_stdin=False
        )
        asked = reply["content"]["user_expressions"]["asked"]
        assert asked["status"] == "ok", f"{expression}: {asked.get('ename')}: {asked.get('evalue')}"
        return str(asked["data"]["text/plain"])


@contextlib.contextmanager
def kernel(folder: Path, **env: str) -> Iterator[Kernel]:
    """Start a kernel in `folder` and end it with the block.

    Parameters
    ----------
    env
        Variables on top of this process's.
    """
    import os

    manager = KernelManager(kernel_name="python3")
    with (folder / "kernel.log").open("wb") as log:
        manager.start_kernel(cwd=str(folder), env={**os.environ, **env}, stdout=log, stderr=log)
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        yield Kernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
        manager.cleanup_resources()
        manager.context.destroy()
