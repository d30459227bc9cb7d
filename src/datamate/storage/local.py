"""The local backend: `LocalFiles` on threads of its own."""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import ParamSpec, TypeVar

from typing_extensions import override

from datamate.storage.local_files import LocalFiles, read_exactly
from datamate.storage.location import StoreLocation
from datamate.storage.partial_file import PartialFile
from datamate.storage.store import BLOCK_BYTES, Body, ObjectInfo, ObjectStore
from datamate.storage.uninterrupted import uninterrupted

_THREADS = 8
_LIST_BATCH = 1_000
P = ParamSpec("P")
T = TypeVar("T")


class LocalStore(ObjectStore):
    """Objects in a folder."""

    def __init__(self, location: StoreLocation) -> None:
        """Use the folder of `location`."""
        self._location = location
        self._files = LocalFiles(location.root)
        # Not the loop's default threads: a slow disk must not hold up name resolution or password hashing.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="object-store")

    @property
    @override
    def location(self) -> StoreLocation:
        return self._location

    @override
    async def put(self, key: str, body: Body, *, size_bytes: int | None = None) -> int:
        self._files.path(key)
        partial = self._files.begin()
        try:
            written = await self._write(partial, body)
            await self._run(self._files.commit, partial, key)
        except BaseException:
            await uninterrupted(self._run(partial.discard))
            raise
        return written

    @override
    async def put_if_absent(self, key: str, data: bytes) -> bool:
        self._files.path(key)
        partial = self._files.begin()
        try:
            await self._run(partial.write, data)
            return await self._run(self._files.commit_if_absent, partial, key)
        except BaseException:
            await uninterrupted(self._run(partial.discard))
            raise

    @override
    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        return await self._run(self._files.read, key, start, end)

    @override
    async def stream(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        descriptor = await self._run(self._files.open, key)
        try:
            while end is None or start < end:
                length = BLOCK_BYTES if end is None else min(BLOCK_BYTES, end - start)
                piece = await self._run(read_exactly, descriptor, start, length)
                if not piece:
                    return
                start += len(piece)
                yield piece
        finally:
            self._close_later(descriptor)

    @override
    async def head(self, key: str) -> ObjectInfo:
        return await self._run(self._files.head, key)

    @override
    async def copy(self, source: str, target: str) -> None:
        await self._run(self._files.copy, source, target)

    @override
    async def move(self, source: str, target: str) -> None:
        await self._run(self._files.move, source, target)

    @override
    async def delete(self, keys: Sequence[str]) -> None:
        await self._run(self._delete_all, keys)

    @override
    async def list(self, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        found = self._files.walk(prefix)
        while batch := await self._run(lambda: [*islice(found, _LIST_BATCH)]):
            for info in batch:
                yield info

    @override
    async def check(self) -> None:
        await self._run(self._files.check)

    @override
    async def discard_partial_writes(self, *, older_than_seconds: float) -> int:
        return await self._run(self._files.discard_partial_writes, older_than_seconds)

    @override
    async def close(self) -> None:
        self._threads.shutdown(wait=False)

    async def _write(self, partial: PartialFile, body: Body) -> int:
        if isinstance(body, bytes):
            await self._run(partial.write, body)
            return len(body)
        written = 0
        async for block in blocks(body, BLOCK_BYTES):
            await self._run(partial.write, block)
            written += len(block)
        return written

    def _delete_all(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._files.delete(key)

    def _close_later(self, descriptor: int) -> None:
        # Through the pool: after a cancelled read its thread may still be using the descriptor.
        try:
            self._threads.submit(os.close, descriptor)
        except RuntimeError:  # the store was closed before its last reader, and with it the pool
            os.close(descriptor)

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))


async def blocks(pieces: AsyncIterable[bytes], block_bytes: int) -> AsyncIterator[bytes]:
    """Yield the same bytes in pieces of at least `block_bytes`, except for the last."""
    gathered: list[bytes] = []
    size = 0
    async for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= block_bytes:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)
