"""Refusals of the S3 door, as the XML document that S3 clients understand.

Everything that is wrong with *who asks* is a 403, whatever AWS answers in detail, so that a client can tell "you may not"
from "you asked for something odd" by the status alone.
Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import errno
from http import HTTPStatus

#: What the operating system says when there is no room: disk full, quota used up, file larger than its limit.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class S3Error(Exception):
    """A request that is answered with an error document.

    Attributes
    ----------
    code
        Word for programs, such as ``NoSuchKey``.
    message
        Sentence for people, without a secret.
    status
        HTTP status.
    headers
        Headers that the answer needs besides.
    """

    def __init__(
        self, status: HTTPStatus, code: str, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers


def forbidden(code: str, message: str) -> S3Error:
    """Return a 403 with `code`."""
    return S3Error(HTTPStatus.FORBIDDEN, code, message)


def denied(message: str) -> S3Error:
    """Return the 403 of somebody who is known but may not do this."""
    return forbidden("AccessDenied", message)


def invalid(message: str, code: str = "InvalidArgument") -> S3Error:
    """Return a 400 with `code`."""
    return S3Error(HTTPStatus.BAD_REQUEST, code, message)


def no_such_key() -> S3Error:
    """Return the 404 of an object that is not there."""
    return S3Error(HTTPStatus.NOT_FOUND, "NoSuchKey", "There is no object with this key.")


def no_such_upload() -> S3Error:
    """Return the 404 of a multipart upload that is not there."""
    return S3Error(
        HTTPStatus.NOT_FOUND,
        "NoSuchUpload",
        "There is no such multipart upload: it was completed, aborted or never begun.",
    )


def precondition_failed() -> S3Error:
    """Return the 412 of a condition that does not hold."""
    return S3Error(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", "A condition of the request does not hold.")


def not_implemented(what: str) -> S3Error:
    """Return the 501 of a part of S3 that this door does not speak."""
    return S3Error(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", f"This server does not speak {what}.")


def from_os_error(error: OSError) -> S3Error | None:
    """Return the answer to a failure of the file system that the client can do something about.

    Returns
    -------
    S3Error or None
        ``None`` when only the operator can tell what happened; the caller logs it.
    """
    if error.errno in _NO_ROOM:
        return S3Error(
            HTTPStatus.INSUFFICIENT_STORAGE,
            "InsufficientStorage",
            "The server has no room left for this object. Nothing was stored.",
        )
    if error.errno == errno.ENAMETOOLONG:
        return invalid("The key is too long to be stored here.", "KeyTooLongError")
    return None
