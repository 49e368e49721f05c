"""Print the table of figures; exit with 1 when a limit is not met."""

from __future__ import annotations

import importlib
import os
import platform
import sys

from benchmarks._rows import Row

PARTS = ("start", "images", "calls", "objects")


def main(parts: list[str]) -> int:
    """Measure `parts`, all when none is named."""
    unknown = set(parts) - set(PARTS)
    if unknown:
        sys.stderr.write(f"There is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}.\n")
        return 2
    # Where this is set, our own modules would be compiled at every start; an installed package is compiled once.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, ", end="")
    print(f"Python {platform.python_version()}\n")
    found: list[Row] = []
    for part in parts or PARTS:
        found += importlib.import_module(f"benchmarks.{part}").rows()
    header = ("what", "figure", "beside it, in the same run", "to reach", "reached")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in found:
        print("| " + " | ".join(row.cells()) + " |")
    return 0 if all(row.met for row in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
