"""Answers requests for the content of a file, whole or in part, in constant memory."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final
from urllib.parse import quote

from fastapi import Request, Response
from sqlalchemy import RowMapping

from datamate.core.errors import PreconditionFailedError, RangeNotSatisfiableError, UnavailableError
from datamate.platform.http.problems import problem_of
from datamate.platform.http.streaming import ClosingStreamingResponse
from datamate.services.data_management.files.ranges import Representation, Selection, select_bytes
from datamate.storage import ObjectStore

# Somebody else's file must never act as a page of ours: it is saved, not shown, whatever type it claims.
_HARMLESS: Final = {
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_ASCII_NAME: Final = str.maketrans(dict.fromkeys('"\\%;', "_"))


async def content_response(request: Request, store: ObjectStore, file: RowMapping) -> Response:
    """Return the answer to a GET or HEAD of the content of a file.

    Args:
        request: Its preconditions and its range count.
        store: Where the bytes are.
        file: The row of the file.

    Raises:
        PreconditionFailedError: `If-Match` or `If-Unmodified-Since` does not hold.
        UnavailableError: The object store does not answer.
    """
    size: int = file["size_bytes"]
    target = Representation(f'"{file["hash"].hex()}"', file["created_at"], size)
    wanted = select_bytes(request.headers, target)
    headers = {
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        "etag": target.etag,
        "last-modified": target.last_modified,
    }
    if wanted.status == 304:
        return Response(status_code=304, headers=headers)
    if wanted.status == 412:
        raise PreconditionFailedError
    if wanted.status == 416:
        return _unsatisfiable(size)
    headers |= _HARMLESS | _description(file, wanted, size)
    if request.method == "HEAD":
        return Response(status_code=wanted.status, headers=headers)
    body = await _opened(store, file["object_key"], wanted)
    return ClosingStreamingResponse(body, wanted.status, headers)


def _description(file: RowMapping, wanted: Selection, size: int) -> dict[str, str]:
    fields = {
        "content-disposition": attachment(file["path"].rpartition("/")[2]),
        "content-length": str(wanted.end - wanted.start),
        "content-type": file["media_type"],
    }
    if wanted.status == 206:
        fields["content-range"] = f"bytes {wanted.start}-{wanted.end - 1}/{size}"
    return fields


def attachment(name: str) -> str:
    """Return the header that has a client save a file under this name: RFC 6266, with the encoding of RFC 5987."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").translate(_ASCII_NAME)
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'


async def _opened(store: ObjectStore, key: str, wanted: Selection) -> AsyncGenerator[bytes, None]:
    """Read the first piece before any header is sent, so that a store that fails is an error and no broken answer."""
    pieces = store.stream(key, start=wanted.start, end=wanted.end)
    first = await anext(pieces, b"")
    return _all(first, pieces, expected_bytes=wanted.end - wanted.start)


async def _all(first: bytes, rest: AsyncIterator[bytes], *, expected_bytes: int) -> AsyncGenerator[bytes, None]:
    sent = len(first)
    if first:
        yield first
    async for piece in rest:
        sent += len(piece)
        yield piece
    if sent != expected_bytes:
        raise UnavailableError(f"The object store gave {sent} of {expected_bytes} bytes.")


def _unsatisfiable(size: int) -> Response:
    error = RangeNotSatisfiableError(f"The requested range lies outside the file of {size} bytes.")
    problem = problem_of(error, headers=[(b"content-range", f"bytes */{size}".encode())])
    response = Response(problem.body, problem.status)
    response.raw_headers = problem.headers
    return response
