"""From exceptions to what a caller reads.

A resolver that refuses raises :class:`Refuse`; its words go out as they are. Anything else that a resolver raises is a
fault of ours: it is logged with its traceback and goes out as "internal error".
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from jupyter_arkitekt.server._disk import is_full
from jupyter_arkitekt.server.topics import Overflow

if TYPE_CHECKING:
    from graphql import GraphQLError

logger = logging.getLogger("arkitekt.graphql")

UNAUTHENTICATED = "UNAUTHENTICATED"

#: Errors that one response tells about; a list of many items may fail in each of them.
MAX_ERRORS = 50


class Refuse(Exception):  # noqa: N818 - reads as what it does: raise Refuse("no image 7")
    """A resolver says no.

    Parameters
    ----------
    message
        What was asked and why it is refused; shown to the caller.
    code
        Goes out as ``extensions.code``, for programs: ``NOT_FOUND``, ``FORBIDDEN``, ….
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


def error_dict(error: BaseException) -> dict[str, Any]:
    """Turn one exception into a member of a response's ``errors``."""
    from graphql import GraphQLError

    located = error if isinstance(error, GraphQLError) else GraphQLError("", original_error=_as_exception(error))
    cause: BaseException = located
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    shown: dict[str, Any] = dict(located.formatted)
    if isinstance(cause, Refuse):
        shown["message"] = str(cause)
        if cause.code:
            shown["extensions"] = {**shown.get("extensions", {}), "code": cause.code}
    elif isinstance(cause, Overflow):
        shown["message"] = str(cause)
    elif is_full(cause):
        logger.error("The disk is full: %s", type(cause).__name__)
        shown["message"] = "the server's disk is full; nothing was changed"
        shown["extensions"] = {"code": "STORAGE_FULL"}
    elif cause is not located and (located.path or located is not error):
        # A resolver's own fault. Without a path it is a value that does not fit its type, which the caller may know.
        where = ".".join(str(step) for step in located.path or ())
        logger.error("Failed to resolve %s", where or "an operation", exc_info=cause)
        shown["message"] = "internal error"
    return shown


def error_dicts(errors: Iterable[GraphQLError]) -> list[dict[str, Any]]:
    """Turn the errors of an execution into a response's ``errors``, the first :data:`MAX_ERRORS` of them."""
    return [error_dict(error) for error in islice(errors, MAX_ERRORS)]


def unauthenticated(message: str) -> dict[str, Any]:
    """Return the whole response for a caller who is not known.

    Clients refresh their token on this code; without it they give up.
    """
    return {"data": None, "errors": [{"message": message, "extensions": {"code": UNAUTHENTICATED}}]}


def _as_exception(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
