"""Fail unless a wheel contains what an installed package needs: the widgets' bundle, the SDLs, the notebook."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

NEEDED = (
    "arkitekt/__init__.py",
    "jupyter_arkitekt/py.typed",
    "jupyter_arkitekt/server/mikro/schema.graphql",
    "jupyter_arkitekt/server/rekuest/schema.graphql",
    "jupyter_arkitekt/demo/notebooks/01-quickstart.ipynb",
)


def main(wheel: Path) -> int:
    """Return 0 when nothing is missing from `wheel`."""
    names = set(zipfile.ZipFile(wheel).namelist())
    bundle = Path("jupyter_arkitekt/widgets/static")
    built = {f"{bundle.as_posix()}/{path.name}" for path in bundle.iterdir() if path.suffix in {".js", ".css"}}
    missing = sorted((set(NEEDED) | built) - names)
    if not built:
        missing.append(f"{bundle}/*.js")
    if missing:
        sys.stderr.write(f"{wheel.name} lacks {', '.join(missing)}\n")
        return 1
    sys.stdout.write(f"{wheel.name}: {len(names)} files, with the bundle ({', '.join(sorted(built))})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
