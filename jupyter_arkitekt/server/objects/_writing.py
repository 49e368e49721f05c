"""PUT of an object or of a part of one.

The body is hashed while it comes, and nothing can be seen of it before its hash is the signed one. A small body is handled on
the loop; of a large one a thread hashes and writes one piece while the next is received, so that at most two pieces are in
memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

from ._call import Call, check_hash, etag_value
from ._conditions import writing
from ._errors import invalid, not_implemented
from ._pool import Pool
from ._uploads import MAX_PARTS, Uploads, too_large
from ._writer import Writer
from .storage import Storage

#: Up to here the way to a thread costs more than the work itself.
SMALL = 256 * 1024
#: Bytes that a thread takes at once.
PIECE = 1024 * 1024
#: Largest body of one request, https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MAX_BODY = 5 * 1024**3


async def put_object(call: Call, storage: Storage, pool: Pool) -> None:
    """Answer a PUT of a whole object."""
    _check(call, storage)
    allow = writing(call.headers)
    writer = storage.writer()
    try:
        if await _receive(call, writer, pool):
            entry = storage.commit(writer, call.bucket, call.key, allow)
        else:
            entry = await pool.run(storage.commit, writer, call.bucket, call.key, allow)
    finally:
        writer.discard()
    await call.answer(HTTPStatus.OK, [(b"etag", etag_value(entry.etag))])


async def put_part(call: Call, storage: Storage, uploads: Uploads, pool: Pool) -> None:
    """Answer a PUT of one part of a multipart upload."""
    _check(call, storage)
    upload_id, number = call.query["uploadId"], call.query.get("partNumber", "")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number[:6]) <= MAX_PARTS:
        raise invalid(f"A part has a number from 1 to {MAX_PARTS}.")
    await pool.run(uploads.check, upload_id, call.bucket, call.key)
    writer = storage.writer()
    try:
        await _receive(call, writer, pool)
        etag = await pool.run(uploads.add, upload_id, call.bucket, call.key, int(number), writer)
    finally:
        writer.discard()
    await call.answer(HTTPStatus.OK, [(b"etag", etag_value(etag))])


def _check(call: Call, storage: Storage) -> None:
    """Refuse what can be refused before the body comes."""
    call.for_key()
    call.for_writing()
    if b"x-amz-copy-source" in call.headers:
        raise not_implemented("copies of objects")
    limit = min(MAX_BODY, storage.max_object_bytes)
    if call.content_length() > limit:
        raise too_large(limit)


async def _receive(call: Call, writer: Writer, pool: Pool) -> bool:
    """Write the body of `call` and check its hash.

    Returns
    -------
    bool
        Whether it was a small one.

    Raises
    ------
    S3Error
        403, if it is not the one that was signed.
    Disconnected
        If the client went away.
    OSError
        If there is no room, or the disk fails.
    """
    expected = call.body_hash()
    if call.content_length() <= SMALL:
        pieces = [piece async for piece in call.pieces()]
        writer.write(pieces)
        check_hash(writer.digest(), expected)
        return True
    working: asyncio.Future[None] | None = None
    try:
        async for pieces in _gather(call):
            if working is not None:
                await pool.done(working)
            working = pool.start(writer.write, pieces)
    finally:
        # Also when the client went away: the file may be closed only when no thread writes any more.
        if working is not None:
            await pool.done(working)
    check_hash(writer.digest(), expected)
    return False


async def _gather(call: Call) -> AsyncIterator[list[bytes]]:
    """Yield the body in pieces that are worth a thread's while."""
    pieces: list[bytes] = []
    size = 0
    async for piece in call.pieces():
        pieces.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield pieces
            pieces, size = [], 0
    if pieces:
        yield pieces
