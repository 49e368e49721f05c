"""The tree of errors.

Every message says what was asked, of whom, what came back and what to do next, without a secret. An error of ours is
also the standard error that a caller would expect, so that ``except LookupError`` catches an image that is not there::

    ArkitektError
    ├── ConfigError (ValueError)             a setting, an environment variable or a file of ours is wrong
    ├── BridgeError (RuntimeError)           the sync door was used where only the async one works
    ├── NotConnectedError (RuntimeError)     no app is signed in here
    ├── ConnectError (ConnectionError)       nobody answered, or the connection broke
    │   └── NotArkitektError                 somebody answered, but it is no Arkitekt server
    ├── DeadlineError (TimeoutError)         the answer did not come in time
    ├── SignInError (PermissionError)        the server refused to sign this app in
    ├── ServerError                          a service refused a request; keeps ``status``, ``path`` and ``detail``
    │   ├── AuthError (PermissionError)      … because of who asked
    │   └── NotFoundError (LookupError)      … because there is no such thing
    ├── ImageError
    │   ├── DimsError (ValueError)           an array's dimensions or dtype do not make an image
    │   └── UploadError (OSError)            pixels could not be written; no image was made
    ├── DefinitionError (TypeError)          a function cannot be turned into an action
    ├── ArgumentError (ValueError)           a value does not fit its port; keeps ``port``
    ├── CallError (RuntimeError)             a call did not end well
    │   ├── NoAgentError                     nobody hosts this function now
    │   ├── TaskFailedError                  the agent reported a failure
    │   └── TaskCancelledError               the task was cancelled
    └── PlatformError (RuntimeError)         the local platform could not be started or found
        └── AlreadyRunningError              another server holds this data directory; keeps ``url``
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit


def redact(url: str) -> str:
    """Return `url` without user, password, query and fragment, fit for a message."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "<not a URL>"
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return urlunsplit((parts.scheme, host + port, parts.path, "", ""))


class ArkitektError(Exception):
    """Base of all errors of this package."""


class ConfigError(ArkitektError, ValueError):
    """A setting, an environment variable or a file of ours is wrong."""


class BridgeError(ArkitektError, RuntimeError):
    """The sync door was used where only the async one works."""


class NotConnectedError(ArkitektError, RuntimeError):
    """No app is signed in here."""


class ConnectError(ArkitektError, ConnectionError):
    """Nobody answered, or the connection broke."""


class NotArkitektError(ConnectError):
    """Somebody answered, but it is no Arkitekt server."""


class DeadlineError(ArkitektError, TimeoutError):
    """The answer did not come in time."""


class SignInError(ArkitektError, PermissionError):
    """The server refused to sign this app in."""


class ServerError(ArkitektError):
    """A service refused a request.

    Attributes
    ----------
    status
        HTTP status of the answer, ``None`` when it came over a socket.
    path
        Path of the GraphQL field that failed, empty when none was named.
    detail
        The server's own words.
    """

    def __init__(
        self, message: str, *, status: int | None = None, path: tuple[Any, ...] = (), detail: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.path = path
        self.detail = detail


class AuthError(ServerError, PermissionError):
    """A service refused a request because of who asked."""


class NotFoundError(ServerError, LookupError):
    """A service has no such thing."""


class ImageError(ArkitektError):
    """Base of what can be wrong with an image."""


class DimsError(ImageError, ValueError):
    """An array's dimensions or dtype do not make an image."""


class UploadError(ImageError, OSError):
    """Pixels could not be written; no image was made."""


class DefinitionError(ArkitektError, TypeError):
    """A function cannot be turned into an action."""


class ArgumentError(ArkitektError, ValueError):
    """A value does not fit its port.

    Attributes
    ----------
    port
        Key of the port, ``None`` when the value belongs to none.
    """

    def __init__(self, message: str, *, port: str | None = None) -> None:
        super().__init__(message)
        self.port = port


class CallError(ArkitektError, RuntimeError):
    """A call did not end well."""


class NoAgentError(CallError):
    """Nobody hosts this function now."""


class TaskFailedError(CallError):
    """The agent reported a failure."""


class TaskCancelledError(CallError):
    """The task was cancelled."""


class PlatformError(ArkitektError, RuntimeError):
    """The local platform could not be started or found."""


class AlreadyRunningError(PlatformError):
    """Another server holds this data directory.

    Attributes
    ----------
    url
        Address of the server that holds it, ``None`` when it did not say.
    """

    def __init__(self, message: str, *, url: str | None = None) -> None:
        super().__init__(message)
        self.url = url
