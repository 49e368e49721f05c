"""The platform's own S3 door: the part of S3 that Arkitekt's clients speak, path-style, over a local folder.

Every request is signed with a grant (see `grants`) and only reaches what lies under the grant's prefix. What is spoken:
GET and HEAD with ranges and conditions, PUT, DELETE, listings of version 2, deleting several objects, multipart uploads, and
signed addresses for reading. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from ._bucket import delete_objects, list_objects
from ._call import Call, Disconnected, RawHeaders, answer
from ._conditions import writing
from ._documents import MAX_COMPLETE_BYTES, completed_document, created_document, error_document, read_complete
from ._errors import S3Error, denied, from_os_error, invalid, not_implemented
from ._pool import Pool
from ._reading import get_object
from ._root import is_root_document, root_document
from ._uploads import Uploads
from ._writing import put_object, put_part
from .grants import Grants
from .sigv4 import verify
from .storage import Storage

#: The kinds of store that mikro knows.
BUCKETS = ("zarr", "parquet", "bigfile", "media")

#: Parameters that do not change what is read: SDKs name the operation for their own logs, and browsers the file's name.
_READING = frozenset({"x-id", "response-content-disposition", "response-content-type"})

_log = logging.getLogger(__name__)


class HasObjects(Protocol):
    """What the door needs of the platform."""

    @property
    def storage(self) -> Storage:
        """Where the objects are."""

    @property
    def grants(self) -> Grants:
        """Who may reach them."""


def routes(platform: HasObjects) -> list[BaseRoute]:
    """Return the routes of the door, at the root of the server; to be mounted last.

    Parameters
    ----------
    platform
        Its storage and grants are used.
    """
    door = Door(platform.storage, platform.grants)
    found: list[BaseRoute] = [Route("/minio/health/live", _alive, methods=["GET"])]
    for bucket in BUCKETS:
        found += [Route(f"/{bucket}", door), Route(f"/{bucket}/{{key:path}}", door)]
    return found


async def _alive(request: Request) -> PlainTextResponse:  # noqa: ARG001 - the signature of an endpoint
    """Answer the question by which clients of Arkitekt try the address of an object store."""
    return PlainTextResponse("")


class Door:
    """An ASGI application that answers S3 requests.

    Parameters
    ----------
    storage
        Where the objects are.
    grants
        Who may reach them.
    """

    def __init__(self, storage: Storage, grants: Grants) -> None:
        self._storage = storage
        self._grants = grants
        self._uploads = Uploads(storage)
        self._pool = Pool()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._dispatch(await self._verify(scope, receive, sending))
        except Disconnected:
            return
        except S3Error as error:
            await _refuse(scope, send, error)
        except OSError as error:
            known = from_os_error(error)
            if started:
                raise  # too late for an answer: the server breaks the connection off
            if known is None:
                _log.exception("%s %s failed", scope["method"], scope["path"])
                known = S3Error(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    "InternalError",
                    "The server's disk failed; its log says more.",
                )
            await _refuse(scope, send, known)

    async def _verify(self, scope: Scope, receive: Receive, send: Send) -> Call:
        headers: RawHeaders = scope["headers"]
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        verified = verify(
            scope["method"], path, scope["query_string"], headers, self._grants.holder, now=self._grants.clock()
        )
        try:
            bucket, _, key = unquote_to_bytes(path).decode().removeprefix("/").partition("/")
        except UnicodeDecodeError as error:
            raise invalid("The path is not UTF-8.", "InvalidURI") from error
        if bucket != verified.holder.bucket:
            raise denied("These credentials are not good for this bucket.")
        return Call(
            method=scope["method"],
            bucket=bucket,
            key=key,
            query=verified.query,
            headers=dict(headers),
            holder=verified.holder,
            payload=verified.payload,
            receive=receive,
            send=send,
        )

    async def _dispatch(self, call: Call) -> None:
        if not call.key:
            await self._answer_bucket(call)
        elif is_root_document(call.bucket, call.key):
            await root_document(call)
        else:
            await self._answer_object(call)

    async def _answer_bucket(self, call: Call) -> None:
        match call.method, [*call.query]:
            case "GET", _:
                await list_objects(call, self._storage, self._pool)
            case "POST", ["delete"]:
                await delete_objects(call, self._storage, self._pool)
            case "HEAD", []:
                await call.answer(HTTPStatus.OK)
            case _:
                raise not_implemented("this request for a bucket")

    async def _answer_object(self, call: Call) -> None:
        call.for_key()
        query = call.query.keys()
        match call.method:
            case "GET" | "HEAD" if not query - _READING:
                await get_object(call, self._storage, self._pool)
            case "PUT" if not query:
                await put_object(call, self._storage, self._pool)
            case "PUT" if query == {"partNumber", "uploadId"}:
                await put_part(call, self._storage, self._uploads, self._pool)
            case "DELETE" if not query:
                call.for_writing()
                await self._pool.run(self._storage.delete, call.bucket, call.key)
                await call.answer(HTTPStatus.NO_CONTENT)
            case "DELETE" if query == {"uploadId"}:
                call.for_writing()
                await self._pool.run(self._uploads.abort, call.query["uploadId"], call.bucket, call.key)
                await call.answer(HTTPStatus.NO_CONTENT)
            case "POST" if query == {"uploads"}:
                call.for_writing()
                upload_id = await self._pool.run(self._uploads.create, call.bucket, call.key)
                await call.answer(HTTPStatus.OK, body=created_document(call.bucket, call.key, upload_id))
            case "POST" if query == {"uploadId"}:
                await self._complete(call)
            case _:
                raise not_implemented("this request for an object")

    async def _complete(self, call: Call) -> None:
        call.for_writing()
        parts = read_complete(await call.body(MAX_COMPLETE_BYTES))
        etag = await self._pool.run(
            self._uploads.complete, call.query["uploadId"], call.bucket, call.key, parts, writing(call.headers)
        )
        location = f"/{call.bucket}/{call.key}"
        await call.answer(HTTPStatus.OK, body=completed_document(call.bucket, call.key, location, etag))


async def _refuse(scope: Scope, send: Send, error: S3Error) -> None:
    request_id = secrets.token_hex(8)
    document = error_document(error, scope["path"], request_id)
    headers = [(b"x-amz-request-id", request_id.encode()), *error.headers]
    await answer(send, scope["method"], error.status, headers, document)
