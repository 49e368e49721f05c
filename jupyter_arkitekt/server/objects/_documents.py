"""The XML documents of S3, written and read. Reading refuses entities and document types (defusedxml)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ._errors import S3Error, invalid
from ._listing import MAX_KEYS, Page
from ._uploads import MAX_PARTS, Part

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

#: Largest list of keys to delete: a thousand keys of a kilobyte, each character an entity at worst, and their tags.
MAX_DELETE_BYTES = 8 * 1024 * 1024
#: Largest list of parts: ten thousand of them, with room for checksums that we do not ask for.
MAX_COMPLETE_BYTES = 4 * 1024 * 1024


def error_document(error: S3Error, resource: str, request_id: str) -> bytes:
    """Return the answer to a request that is refused."""
    return (
        f"{_HEAD}<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        f"<Resource>{escape(resource)}</Resource><RequestId>{request_id}</RequestId></Error>"
    ).encode("utf-8", "replace")


def list_document(
    page: Page,
    *,
    bucket: str,
    prefix: str,
    delimiter: str,
    max_keys: int,
    start_after: str,
    token: str | None,
    url_encoded: bool,
) -> bytes:
    """Return the answer to a listing; the arguments after `page` are what was asked."""

    def text(value: str) -> str:
        return quote(value, safe="/-_.~") if url_encoded else escape(value)

    lines = [
        f"{_HEAD}<ListBucketResult {_NAMESPACE}><Name>{bucket}</Name><Prefix>{text(prefix)}</Prefix>",
        f"<KeyCount>{len(page)}</KeyCount><MaxKeys>{max_keys}</MaxKeys>",
        f"<IsTruncated>{'false' if page.after is None else 'true'}</IsTruncated>",
    ]
    if delimiter:
        lines.append(f"<Delimiter>{text(delimiter)}</Delimiter>")
    if start_after:
        lines.append(f"<StartAfter>{text(start_after)}</StartAfter>")
    if url_encoded:
        lines.append("<EncodingType>url</EncodingType>")
    if token is not None:
        lines.append(f"<ContinuationToken>{escape(token)}</ContinuationToken>")
    if page.after is not None:
        lines.append(f"<NextContinuationToken>{page.after}</NextContinuationToken>")
    lines += [
        f"<Contents><Key>{text(found.key)}</Key><LastModified>{_time(found.modified)}</LastModified>"
        f"<ETag>&quot;{found.etag}&quot;</ETag><Size>{found.size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for found in page.entries
    ]
    lines += [f"<CommonPrefixes><Prefix>{text(common)}</Prefix></CommonPrefixes>" for common in page.prefixes]
    lines.append("</ListBucketResult>")
    return "".join(lines).encode()


def _time(nanoseconds: int) -> str:
    moment = datetime.fromtimestamp(nanoseconds // 10**9, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9 // 10**6:03d}Z"


def delete_document(deleted: Iterable[str], refused: Iterable[tuple[str, S3Error]]) -> bytes:
    """Return the answer to a list of keys to delete."""
    lines = [f"{_HEAD}<DeleteResult {_NAMESPACE}>"]
    lines += [f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in deleted]
    lines += [
        f"<Error><Key>{escape(key)}</Key><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        for key, error in refused
    ]
    lines.append("</DeleteResult>")
    return "".join(lines).encode()


def created_document(bucket: str, key: str, upload_id: str) -> bytes:
    """Return the answer to the beginning of a multipart upload."""
    return (
        f"{_HEAD}<InitiateMultipartUploadResult {_NAMESPACE}><Bucket>{bucket}</Bucket><Key>{escape(key)}</Key>"
        f"<UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
    ).encode()


def completed_document(bucket: str, key: str, location: str, etag: str) -> bytes:
    """Return the answer to the end of a multipart upload."""
    return (
        f"{_HEAD}<CompleteMultipartUploadResult {_NAMESPACE}><Location>{escape(location)}</Location>"
        f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><ETag>&quot;{etag}&quot;</ETag>"
        "</CompleteMultipartUploadResult>"
    ).encode()


def read_delete(body: bytes) -> list[str]:
    """Return the keys of a list of keys to delete.

    Raises
    ------
    S3Error
        400, if it is no such list, or has no key or too many.
    """
    keys = [_text(item, "Key") for item in _children(_parse(body, "Delete"), "Object")]
    if not 0 < len(keys) <= MAX_KEYS:
        raise _malformed(f"1 to {MAX_KEYS} keys can be deleted at once, not {len(keys)}.")
    return keys


def read_complete(body: bytes) -> list[Part]:
    """Return the parts of a list of parts.

    Raises
    ------
    S3Error
        400, if it is no such list, or has no part or too many.
    """
    parts: list[Part] = []
    for item in _children(_parse(body, "CompleteMultipartUpload"), "Part"):
        try:
            number = int(_text(item, "PartNumber"))
        except ValueError as error:
            raise _malformed("The number of a part is none.") from error
        parts.append(Part(number, _text(item, "ETag").strip().strip('"')))
    if not 0 < len(parts) <= MAX_PARTS:
        raise _malformed(f"An object has 1 to {MAX_PARTS} parts, not {len(parts)}.")
    return parts


def _parse(body: bytes, name: str) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise _malformed("The body is no XML that is taken here.") from error
    if _name(root) != name:
        raise _malformed(f"The body has to be a {name} document.")
    return root


def _children(parent: Element, name: str) -> list[Element]:
    return [child for child in parent if _name(child) == name]


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(parent: Element, name: str) -> str:
    found = _children(parent, name)
    if len(found) != 1:
        raise _malformed(f"Each {_name(parent)} has to have one {name}.")
    return found[0].text or ""


def _malformed(message: str) -> S3Error:
    return invalid(message, "MalformedXML")
