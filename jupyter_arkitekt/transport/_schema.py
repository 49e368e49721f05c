"""A deployment's GraphQL schema: asked for once, kept on disk, built once per process."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphql import GraphQLSchema

_logger = logging.getLogger(__name__)

#: Seconds after which a kept schema is asked for again, so that what an upgrade brings is found.
MAX_AGE = 24 * 3600


@functools.lru_cache(maxsize=8)
def parse_schema(sdl: str) -> GraphQLSchema:
    """Build a schema from its text; what it says of federation and other directives is not checked.

    Raises
    ------
    ValueError
        If the text is no schema.
    """
    from graphql import GraphQLError, build_ast_schema, parse

    try:
        schema = build_ast_schema(parse(sdl, no_location=True), assume_valid=True, assume_valid_sdl=True)
    except (GraphQLError, TypeError) as error:
        raise ValueError(f"not a GraphQL schema: {error}") from error
    if schema.query_type is None:
        raise ValueError("a GraphQL schema without a query type")
    return schema


def read(path: Path) -> GraphQLSchema | None:
    """Return the schema kept at `path`, ``None`` when there is none, or it is old or corrupt."""
    try:
        if time.time() - path.stat().st_mtime > MAX_AGE:
            return None
        return parse_schema(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _logger.info("The schema kept at %s is of no use and is asked for again: %s", path, error)
        return None


def keep(path: Path, sdl: str) -> None:
    """Keep `sdl` at `path`, whole or not at all. A full disk costs the next start a request, nothing more."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(sdl)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        _logger.info("The schema could not be kept at %s: %s", path, error)


def forget(path: Path) -> None:
    """Drop what is kept at `path`."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
