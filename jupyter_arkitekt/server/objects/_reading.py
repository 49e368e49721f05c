"""GET and HEAD of an object.

What the system has in memory already is read on the loop, which is faster than to ask a thread; the kernel is told not to wait
for the disk (``RWF_NOWAIT``), and where it would have to, a thread reads. So a cold disk holds up one reader, not all.
"""

from __future__ import annotations

import asyncio
import errno
import os
from http import HTTPStatus

from ._call import Call, Disconnected, etag_value, object_headers
from ._conditions import byte_range, check_reading
from ._errors import no_such_key
from ._pool import Pool
from .storage import Storage

#: Bytes that are read and sent at once.
PIECE = 1024 * 1024

_NOWAIT = getattr(os, "RWF_NOWAIT", None)
#: The kernel would have to wait for the disk, or the file system cannot tell.
_WOULD_WAIT = frozenset({errno.EAGAIN, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


async def get_object(call: Call, storage: Storage, pool: Pool) -> None:
    """Answer a GET or HEAD."""
    call.for_key()
    found = storage.open_object(call.bucket, call.key)
    if found is None:
        raise no_such_key()
    descriptor, entry = found
    try:
        if not check_reading(call.headers, entry):
            await call.answer(HTTPStatus.NOT_MODIFIED, [(b"etag", etag_value(entry.etag))])
            return
        part = byte_range(call.headers, entry)
        offset, length = (0, entry.size) if part is None else part
        headers = object_headers(entry)
        headers.append((b"content-length", b"%d" % length))
        if part is not None:
            headers.append((b"content-range", b"bytes %d-%d/%d" % (offset, offset + length - 1, entry.size)))
        start = {
            "type": "http.response.start",
            "status": HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT,
            "headers": headers,
        }
        if call.method == "HEAD" or length == 0:
            await call.send(start)
            await call.send({"type": "http.response.body"})
        elif length <= PIECE:
            # Read before the answer begins: a failure of the disk is an answer, too.
            data = await _read(pool, descriptor, length, offset)
            await call.send(start)
            await call.send({"type": "http.response.body", "body": data})
        else:
            await call.send(start)
            await _send_pieces(call, pool, descriptor, length, offset)
    finally:
        os.close(descriptor)


async def _send_pieces(call: Call, pool: Pool, descriptor: int, length: int, offset: int) -> None:
    gone = asyncio.ensure_future(_until_gone(call))
    try:
        while length and not gone.done():
            data = await _read(pool, descriptor, min(PIECE, length), offset)
            offset += len(data)
            length -= len(data)
            await call.send({"type": "http.response.body", "body": data, "more_body": length > 0})
    finally:
        gone.cancel()


async def _until_gone(call: Call) -> None:
    """Return when the client went away: the server would take the rest of a large object and send it to nobody."""
    try:
        async for _ in call.pieces():
            pass
        await call.receive()
    except Disconnected:
        return


async def _read(pool: Pool, descriptor: int, length: int, offset: int) -> bytearray:
    """Return `length` bytes of a file.

    Raises
    ------
    OSError
        If the file ends before, or the disk fails.
    """
    # A new one each time: the server may still hold the one that was sent before.
    buffer = bytearray(length)
    count = _read_cached(descriptor, buffer, offset)
    while count < length:
        more = await pool.run(os.preadv, descriptor, [memoryview(buffer)[count:]], offset + count)
        if not more:
            raise OSError(errno.EIO, "The file of an object ended before its time.")
        count += more
    return buffer


def _read_cached(descriptor: int, buffer: bytearray, offset: int) -> int:
    """Fill `buffer` as far as the system has the file in memory, and return how far that is."""
    if _NOWAIT is None:
        return 0
    try:
        return os.preadv(descriptor, [buffer], offset, _NOWAIT)
    except OSError as error:
        if error.errno not in _WOULD_WAIT:
            raise
        return 0
