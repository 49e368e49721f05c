"""From what a service answered to one of our errors."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from jupyter_arkitekt.errors import AuthError, NotFoundError, ServerError, redact

#: Words of services that say "there is no such thing"; the second is Django's.
_NOT_FOUND = re.compile(r"not found|matching query does not exist|does not exist|no such", re.IGNORECASE)
_AUTH = re.compile(r"auth|token|credential|expired|signature|log ?in", re.IGNORECASE)
#: What GraphQL servers say of a document that does not fit their schema (GraphQL, section 5.3 to 5.8).
_MISFIT = re.compile(
    r"cannot query field|unknown (argument|type|fragment)|is not defined by type|was not provided|used in position"
    r"|must not have a selection|must have a selection|got invalid value",
    re.IGNORECASE,
)

_AUTH_CODES = frozenset({"UNAUTHENTICATED"})
_FORBIDDEN_CODES = frozenset({"FORBIDDEN", "PERMISSION_DENIED"})
_NOT_FOUND_CODES = frozenset({"NOT_FOUND"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered to one operation; `status` is ``None`` when it came over a socket."""

    status: int | None
    data: dict[str, Any] | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    text: str = ""

    @property
    def ok(self) -> bool:
        """Whether there is data and no error beside it."""
        return self.status in (200, None) and not self.errors and self.data is not None

    @property
    def unauthenticated(self) -> bool:
        """Whether a fresh token may help.

        Beside the two signs that clients of Arkitekt know (status 403, the code UNAUTHENTICATED), some releases answer
        a bad token by an error which names neither a place in the document nor a path.
        """
        if self.status in (401, 403) or any(_code(error) in _AUTH_CODES for error in self.errors):
            return True
        return bool(self.errors) and all(
            not error.get("path") and not error.get("locations") and _AUTH.search(_message(error))
            for error in self.errors
        )

    @property
    def misfit(self) -> bool:
        """Whether the document does not fit the service's schema; nothing was executed then."""
        return bool(self.errors) and all(
            not error.get("path") and _MISFIT.search(_message(error)) for error in self.errors
        )


def read_answer(status: int, content: bytes) -> Answer:
    """Read the body of an HTTP answer; one that is no GraphQL answer keeps its text."""
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not (body.get("data") is not None or body.get("errors")):
        return Answer(status=status, text=content[:300].decode("utf-8", "replace").strip())
    data, errors = body.get("data"), body.get("errors")
    return Answer(
        status=status,
        data=data if isinstance(data, dict) else None,
        errors=[error if isinstance(error, dict) else {"message": str(error)} for error in errors]
        if isinstance(errors, list)
        else [],
    )


def failure(answer: Answer, *, service: str, url: str, asked: str) -> ServerError:
    """Return the error that says what `answer` means."""
    who = f"{service} at {redact(url)}"
    if not answer.errors:
        detail = " ".join(answer.text.split())[:200] or "an empty body"
        if answer.status in (401, 403):
            return _auth(who, asked, detail, answer.status, ())
        return ServerError(
            f"{who} answered {asked} with status {answer.status} and no GraphQL answer: {detail}. "
            "If this address is right, its log says more.",
            status=answer.status,
            detail=detail,
        )
    first = answer.errors[0]
    code, path = _code(first), tuple(first.get("path") or ())
    detail = "; ".join(dict.fromkeys(_message(error) for error in answer.errors))
    if answer.unauthenticated or code in _FORBIDDEN_CODES:
        return _auth(who, asked, detail, answer.status, path)
    if code in _NOT_FOUND_CODES or (path and _NOT_FOUND.search(detail)):
        return NotFoundError(
            f"{who} has no such thing ({asked}): {detail}", status=answer.status, path=path, detail=detail
        )
    return ServerError(f"{who} refused {asked}: {detail}", status=answer.status, path=path, detail=detail)


def _auth(who: str, asked: str, detail: str, status: int | None, path: tuple[Any, ...]) -> AuthError:
    return AuthError(
        f"{who} does not let this app do {asked}: {detail}. If its sign-in was revoked, drop it by `arkitekt logout` "
        "and sign in again.",
        status=status,
        path=path,
        detail=detail,
    )


def _message(error: dict[str, Any]) -> str:
    return str(error.get("message") or "no message")


def _code(error: dict[str, Any]) -> str:
    extensions = error.get("extensions")
    return str(extensions.get("code", "")) if isinstance(extensions, dict) else ""
