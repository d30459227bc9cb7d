"""The S3 backend: obstore's client behind the store's interface."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from typing_extensions import override

from datamate.core.errors import TooLargeError
from datamate.storage.keys import check_key, check_prefix
from datamate.storage.location import StoreLocation
from datamate.storage.s3_client import connect, range_is_past_the_end, s3_errors
from datamate.storage.store import BLOCK_BYTES, Body, ObjectInfo, ObjectStore
from datamate.storage.uninterrupted import uninterrupted

if TYPE_CHECKING:
    from obstore import AsyncWritableFile

_MAX_PARTS = 10_000
"""Source: Amazon S3 multipart upload limits."""

_MIN_PART_BYTES = 8 << 20
_UNANNOUNCED_PART_BYTES = 16 << 20
_PARTS_IN_FLIGHT = 3
_READ_BYTES = 8 << 20
_LIST_BATCH = 1_000

MAX_COPY_BYTES = 5 << 30
"""Largest object that one CopyObject request copies. Source: Amazon S3 API reference."""


class S3ObjectStore(ObjectStore):
    """Objects in a bucket."""

    def __init__(self, location: StoreLocation) -> None:
        """Use the bucket of `location`."""
        self._location = location
        self._client = connect(location)

    @property
    @override
    def location(self) -> StoreLocation:
        return self._location

    @override
    async def put(self, key: str, body: Body, *, size_bytes: int | None = None) -> int:
        if isinstance(body, bytes):
            with s3_errors(key):
                await obstore.put_async(self._client, check_key(key), body, use_multipart=False)
            return len(body)
        part_bytes = _part_bytes(size_bytes)
        writer = obstore.open_writer_async(
            self._client, check_key(key), buffer_size=part_bytes, max_concurrency=_PARTS_IN_FLIGHT
        )
        written = 0
        try:
            async for piece in body:
                written += len(piece)
                _check_parts(written, part_bytes)
                with s3_errors(key):
                    await writer.write(piece)
        except BaseException as error:
            # Leaving by an exception, cancellation included, aborts the multipart upload. `obstore.put_async` fed by
            # an iterator does not: when cancelled it leaves its parts in the bucket.
            await uninterrupted(_abort(writer, error))
            raise
        with s3_errors(key):
            await writer.close()
        return written

    @override
    async def put_if_absent(self, key: str, data: bytes) -> bool:
        with s3_errors(key), suppress(AlreadyExistsError):
            await obstore.put_async(self._client, check_key(key), data, mode="create")
            return True
        return False

    @override
    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        check_key(key)
        if end is None:
            end = (await self.head(key)).size_bytes
        if start >= end:
            await self.head(key)
            return b""
        with s3_errors(key):
            try:
                return bytes(await obstore.get_range_async(self._client, key, start=start, end=end))
            except BaseError as error:
                if range_is_past_the_end(error):
                    return b""
                raise

    @override
    async def stream(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        # Range by range, the next one under way: a slow reader holds no connection open past its timeout, and
        # no more than two ranges are in memory.
        size = (await self.head(key)).size_bytes
        stop = size if end is None else min(end, size)
        starts = range(start, stop, _READ_BYTES)
        ahead: asyncio.Task[bytes] | None = None
        try:
            for offset in starts:
                current = ahead or self._read_ahead(key, offset, stop)
                ahead = self._read_ahead(key, offset + _READ_BYTES, stop) if offset + _READ_BYTES < stop else None
                piece = await current
                for at in range(0, len(piece), BLOCK_BYTES):
                    yield piece[at : at + BLOCK_BYTES]
        finally:
            if ahead is not None:
                ahead.cancel()

    @override
    async def head(self, key: str) -> ObjectInfo:
        with s3_errors(key):
            found = await obstore.head_async(self._client, check_key(key))
        return ObjectInfo(key, found["size"], found["last_modified"])

    @override
    async def copy(self, source: str, target: str) -> None:
        check_key(target)
        size = (await self.head(source)).size_bytes
        if size > MAX_COPY_BYTES:
            await self.put(target, self.stream(source), size_bytes=size)
            return
        with s3_errors(source):
            await obstore.copy_async(self._client, source, target)

    @override
    async def move(self, source: str, target: str) -> None:
        await self.copy(source, target)
        if source != target:
            await self.delete([source])

    @override
    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            check_key(key)
        if keys:
            with s3_errors(keys[0]), suppress(FileNotFoundError):
                await obstore.delete_async(self._client, list(keys))

    @override
    async def list(self, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        folder = check_prefix(prefix).rstrip("/") or None
        with s3_errors(prefix):
            async for batch in obstore.list(self._client, folder, chunk_size=_LIST_BATCH):
                for found in batch:
                    yield ObjectInfo(found["path"], found["size"], found["last_modified"])

    @override
    async def check(self) -> None:
        with s3_errors(""):
            async for _ in obstore.list(self._client, "no-such-folder", chunk_size=1):
                return

    @override
    async def discard_partial_writes(self, *, older_than_seconds: float) -> int:
        return 0

    @override
    async def close(self) -> None:
        """Connections close when the client is collected."""

    def _read_ahead(self, key: str, start: int, stop: int) -> asyncio.Task[bytes]:
        return asyncio.create_task(self.read(key, start=start, end=min(start + _READ_BYTES, stop)))


async def _abort(writer: "AsyncWritableFile", error: BaseException) -> None:
    # The bucket's own rule for incomplete uploads removes what a dead server keeps us from removing.
    with suppress(BaseError):
        await writer.__aexit__(type(error), error, error.__traceback__)


def _part_bytes(size_bytes: int | None) -> int:
    """Return a part size with which an object of this size stays below the limit of parts."""
    if size_bytes is None:
        return _UNANNOUNCED_PART_BYTES
    return max(_MIN_PART_BYTES, -(-size_bytes // (_MAX_PARTS - 1)))


def _check_parts(written_bytes: int, part_bytes: int) -> None:
    limit = part_bytes * _MAX_PARTS
    if written_bytes > limit:
        raise TooLargeError(f"More than {limit:,} bytes came without an announced size; send Content-Length.")
