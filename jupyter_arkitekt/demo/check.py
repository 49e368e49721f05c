"""`arkitekt demo --check`: execute the quickstart in a kernel, and verify each step against a value computed another way."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_arkitekt.demo import quickstart
from jupyter_arkitekt.demo._verify import STEPS, MismatchError, Outcome, Step
from jupyter_arkitekt.errors import PlatformError

#: Seconds for one cell; the slow function reads 80 planes on a machine that may be busy.
_CELL_SECONDS = 300
_MARK = "ARKITEKT-CHECK:"
_PROBE = (
    "import json as _json, jupyter_arkitekt.mikro as _mikro\n"
    "print({mark!r} + _json.dumps([{expression}, _mikro.bytes_read()]))\n"
    "del _json, _mikro"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report."""

    title: str
    milliseconds: float
    bytes_read: int
    problem: str = ""

    def __str__(self) -> str:
        state = f"FAILED: {self.problem}" if self.problem else "ok"
        return f"{self.title:<52} {self.milliseconds:>9.0f} ms {self.bytes_read:>13,} bytes read   {state}"


def run(data_dir: Path) -> int:
    """Execute and verify; print a row per step and return the exit status, 1 when a step failed."""
    rows = asyncio.run(_execute(data_dir))
    failed = [row for row in rows if row.problem]
    sys.stdout.write(
        f"{len(rows) - len(failed)} of {len(STEPS)} steps verified, {sum(r.milliseconds for r in rows) / 1000:.1f} s in cells\n"
    )
    if failed or len(rows) < len(STEPS):
        named = failed[0].title if failed else STEPS[len(rows)].title
        sys.stderr.write(f"The quickstart failed at: {named}\n")
        return 1
    return 0


async def _execute(data_dir: Path) -> list[Row]:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.reads(quickstart.packaged().read_text(encoding="utf-8"), as_version=4)
    steps = {step.cell: step for step in STEPS}
    cells = {cell["id"] for cell in notebook.cells if cell.cell_type == "code"}
    if cells != set(steps):
        raise PlatformError(f"The quickstart's cells {sorted(cells)} are not those that can be verified.")
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(data_dir)}},
    )
    rows: list[Row] = []
    with _this_python_first():
        async with client.async_setup_kernel():
            read_before = 0
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                row, read_before = await _step(client, steps[cell["id"]], cell, index, read_before)
                rows.append(row)
                sys.stdout.write(f"{row}\n")
                sys.stdout.flush()
                if row.problem:
                    break
    return rows


@contextmanager
def _this_python_first() -> Iterator[None]:
    """Let the kernel ``python3`` be this interpreter's, not another environment's that is found first."""
    before = os.environ.get("JUPYTER_PATH")
    own = str(Path(sys.prefix) / "share" / "jupyter")
    os.environ["JUPYTER_PATH"] = own if before is None else os.pathsep.join([own, before])
    try:
        yield
    finally:
        if before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = before


async def _step(client: Any, step: Step, cell: Any, index: int, read_before: int) -> tuple[Row, int]:
    import nbformat

    began = time.perf_counter()
    await client.async_execute_cell(cell, index)
    if step.then:
        done = nbformat.v4.new_code_cell(step.then)
        await client.async_execute_cell(done, index, store_history=False)
        cell.outputs.extend(output for output in done.outputs if output["output_type"] == "error")
    milliseconds = (time.perf_counter() - began) * 1000
    try:
        _no_error(cell.outputs)
        value, read = await _probe(client, step, index)
        step.check(Outcome(value, cell.outputs))
    except MismatchError as problem:
        return Row(step.title, milliseconds, 0, str(problem)), read_before
    return Row(step.title, milliseconds, read - read_before), read


async def _probe(client: Any, step: Step, index: int) -> tuple[Any, int]:
    import nbformat

    probe = nbformat.v4.new_code_cell(_PROBE.format(mark=_MARK, expression=step.expression))
    await client.async_execute_cell(probe, index, store_history=False)
    _no_error(probe.outputs)
    for output in probe.outputs:
        for line in output.get("text", "").splitlines():
            if line.startswith(_MARK):
                value, read = json.loads(line.removeprefix(_MARK))
                return value, read
    raise MismatchError("the kernel did not answer what came of the step")


def _no_error(outputs: list[dict[str, Any]]) -> None:
    for output in outputs:
        if output["output_type"] == "error":
            raise MismatchError(f"{output['ename']}: {output['evalue']}")
