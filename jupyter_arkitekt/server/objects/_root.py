"""The document at the root of the zarr bucket.

zarr keeps a group document ``zarr.json`` at the root of a store, and its clients write it with every array, if it is not there
yet. All arrays of all people share this one key, so nobody may change it: it is always there and always says the same, an
empty group. A conditional write is told that it is there (412, which zarr expects); any other is thanked and thrown away.
"""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus

from ._call import Call, etag_value
from ._conditions import writing
from ._errors import denied, precondition_failed
from ._tree import Entry

BUCKET = "zarr"
KEY = "zarr.json"
DOCUMENT = b'{\n  "attributes": {},\n  "zarr_format": 3,\n  "node_type": "group"\n}'
#: What is taken of a write that is thrown away.
_MAX_BYTES = 1024 * 1024

_ENTRY = Entry(KEY, len(DOCUMENT), 0, sha256(DOCUMENT).hexdigest())


def is_root_document(bucket: str, key: str) -> bool:
    """Tell whether this is the shared document."""
    return bucket == BUCKET and key == KEY


async def root_document(call: Call) -> None:
    """Answer a request for the shared document.

    Raises
    ------
    S3Error
        403, for anything but reading and writing; 412, for a write on the condition that it is not there.
    """
    headers = [(b"etag", etag_value(_ENTRY.etag))]
    if call.method in {"GET", "HEAD"}:
        await call.answer(HTTPStatus.OK, headers, DOCUMENT, b"application/json")
    elif call.method == "PUT" and not call.query:
        call.for_writing()
        await call.body(_MAX_BYTES)
        allow = writing(call.headers)
        if allow is not None and not allow(_ENTRY):
            raise precondition_failed()
        await call.answer(HTTPStatus.OK, headers)
    else:
        raise denied("This document belongs to everybody: it can be read, and it stays as it is.")
