"""Requests for a bucket as a whole: listing, and deleting several objects."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from ._call import Call
from ._documents import MAX_DELETE_BYTES, delete_document, list_document, read_delete
from ._errors import S3Error, denied, invalid, not_implemented
from ._keys import check_key
from ._listing import MAX_KEYS, Page, decode_token, list_page
from ._pool import Pool
from ._tree import Entry
from .storage import Storage

_LISTING = frozenset(
    {
        "list-type",
        "prefix",
        "delimiter",
        "max-keys",
        "start-after",
        "continuation-token",
        "encoding-type",
        "fetch-owner",
    }
)


async def list_objects(call: Call, storage: Storage, pool: Pool) -> None:
    """Answer a listing."""
    query = call.query
    if query.get("list-type") != "2" or not _LISTING.issuperset(query):
        raise not_implemented("requests for a bucket other than version 2 of its listing")
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    if not call.holder.covers(prefix):
        raise denied("These credentials are not good for this prefix.")
    limit = query.get("max-keys", str(MAX_KEYS))
    if not limit.isascii() or not limit.isdigit():
        raise invalid("max-keys has to be a number.")
    encoding = query.get("encoding-type")
    if encoding not in {None, "url"}:
        raise invalid("encoding-type has to be url.")
    token, start_after = query.get("continuation-token"), query.get("start-after", "")
    # A key is never empty: the first one behind `start_after` begins with it and has a byte more.
    start = decode_token(token) if token is not None else start_after.encode() + b"\0" if start_after else b""
    max_keys = min(int(limit[:9]), MAX_KEYS)

    def walk(first: bytes) -> Iterator[Entry]:
        return (found for found in storage.list(call.bucket, prefix, first) if call.holder.covers(found.key))

    page: Page = await pool.run(list_page, walk, prefix, delimiter, start, max_keys)
    document = list_document(
        page,
        bucket=call.bucket,
        prefix=prefix,
        delimiter=delimiter,
        max_keys=max_keys,
        start_after=start_after,
        token=token,
        url_encoded=encoding == "url",
    )
    await call.answer(HTTPStatus.OK, body=document)


async def delete_objects(call: Call, storage: Storage, pool: Pool) -> None:
    """Answer a list of keys to delete. A key that is not there is deleted as well as one that is."""
    call.for_writing()
    keys = read_delete(await call.body(MAX_DELETE_BYTES))
    covered = [key for key in keys if call.holder.covers(key)]
    if not covered:
        raise denied("These credentials are not good for these keys.")
    outside = denied("These credentials are not good for this key.")
    refused = [(key, outside) for key in keys if not call.holder.covers(key)]
    deleted, odd = await pool.run(_delete, storage, call.bucket, covered)
    await call.answer(HTTPStatus.OK, body=delete_document(deleted, [*refused, *odd]))


def _delete(storage: Storage, bucket: str, keys: list[str]) -> tuple[list[str], list[tuple[str, S3Error]]]:
    deleted: list[str] = []
    refused: list[tuple[str, S3Error]] = []
    for key in keys:
        try:
            check_key(key)
        except S3Error as error:
            refused.append((key, error))
        else:
            storage.delete(bucket, key)
            deleted.append(key)
    return deleted, refused
