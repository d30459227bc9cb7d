"""The store for code without an event loop: a worker process gets a `StoreLocation` and opens it here."""

import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

import obstore
from blake3 import blake3
from obstore.exceptions import BaseError
from typing_extensions import Buffer

from datamate.storage.hashing import ContentHash
from datamate.storage.keys import check_key
from datamate.storage.local_files import LocalFiles
from datamate.storage.location import StoreLocation
from datamate.storage.s3_client import connect, range_is_past_the_end, s3_errors
from datamate.storage.store import BLOCK_BYTES

_READ_BUFFER_BYTES = 8 << 20
_PART_BYTES = 16 << 20


class BlockingStore(Protocol):
    """What `ObjectStore` does, blocking, as far as readers and writers of single objects need it.

    Raises the same errors. Not to be shared between threads; opening one costs microseconds.
    """

    def local_path(self, key: str) -> Path | None:
        """Return the file that holds an object, for readers that map files; None where the store is a bucket."""

    def open(self, key: str) -> BinaryIO:
        """Return a seekable, buffered reader of an object."""

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes `start` to `end` (exclusive); fewer, or none, where the object ends earlier."""

    def size_bytes(self, key: str) -> int:
        """Return the size of an object."""

    def put(self, key: str, pieces: Iterable[bytes]) -> ContentHash:
        """Write an object, whole and durable or not at all, and return its size and hash."""


def open_blocking_store(location: StoreLocation) -> BlockingStore:
    """Return the store at a location."""
    return _BlockingLocalStore(location) if location.scheme == "file" else _BlockingS3Store(location)


def file_pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a local file in pieces of `BLOCK_BYTES`, for `BlockingStore.put`."""
    with path.open("rb") as file:
        while piece := file.read(BLOCK_BYTES):
            yield piece


class _BlockingLocalStore:
    def __init__(self, location: StoreLocation) -> None:
        self._files = LocalFiles(location.root)

    def local_path(self, key: str) -> Path | None:
        return self._files.path(key)

    def open(self, key: str) -> BinaryIO:
        return open(self._files.open(key), "rb", buffering=BLOCK_BYTES)  # noqa: PTH123 -- a descriptor, not a path

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        return self._files.read(key, start, end)

    def size_bytes(self, key: str) -> int:
        return self._files.head(key).size_bytes

    def put(self, key: str, pieces: Iterable[bytes]) -> ContentHash:
        self._files.path(key)
        partial, hasher, size = self._files.begin(), blake3(), 0
        try:
            for piece in pieces:
                partial.write(piece)
                hasher.update(piece)
                size += len(piece)
            self._files.commit(partial, key)
        finally:
            partial.discard()
        return ContentHash(size, hasher.hexdigest())


class _BlockingS3Store:
    def __init__(self, location: StoreLocation) -> None:
        self._client = connect(location)

    def local_path(self, key: str) -> Path | None:
        check_key(key)
        return None

    def open(self, key: str) -> BinaryIO:
        return io.BufferedReader(_RangeReader(self, key), buffer_size=_READ_BUFFER_BYTES)

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        if end is None:
            end = self.size_bytes(key)
        if start >= end:
            self.size_bytes(key)
            return b""
        with s3_errors(key):
            try:
                return bytes(obstore.get_range(self._client, check_key(key), start=start, end=end))
            except BaseError as error:
                if range_is_past_the_end(error):
                    return b""
                raise

    def size_bytes(self, key: str) -> int:
        with s3_errors(key):
            return obstore.head(self._client, check_key(key))["size"]

    def put(self, key: str, pieces: Iterable[bytes]) -> ContentHash:
        writer = obstore.open_writer(self._client, check_key(key), buffer_size=_PART_BYTES, max_concurrency=2)
        hasher, size = blake3(), 0
        try:
            for piece in pieces:
                hasher.update(piece)
                size += len(piece)
                with s3_errors(key):
                    writer.write(piece)
        except BaseException as error:
            with suppress(BaseError):
                writer.__exit__(type(error), error, error.__traceback__)
            raise
        with s3_errors(key):
            writer.close()
        return ContentHash(size, hasher.hexdigest())


class _RangeReader(io.RawIOBase):
    """A file whose reads are ranged requests; the buffer above it makes them few."""

    def __init__(self, store: _BlockingS3Store, key: str) -> None:
        self._store, self._key = store, key
        self._size = store.size_bytes(key)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:
        target = memoryview(buffer).cast("B")
        end = min(self._position + len(target), self._size)
        if end <= self._position:
            return 0
        data = self._store.read(self._key, start=self._position, end=end)
        target[: len(data)] = data
        self._position += len(data)
        return len(data)
