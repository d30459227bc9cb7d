"""The interface of an object store; every backend passes one contract test."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from datamate.core.errors import NotFoundError
from datamate.storage.location import StoreLocation

BLOCK_BYTES = 1 << 20
"""Size of the pieces in which bodies move: large enough that the hop to a thread or a socket costs little."""

Body = bytes | AsyncIterable[bytes]


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What is known of an object without reading it."""

    key: str
    size_bytes: int
    modified_at: datetime


class ObjectStore(ABC):
    """Immutable objects under keys.

    Every method may raise `UnavailableError` (the store does not answer; try again), `StorageFullError` (no space;
    nothing was written) or `InvalidInputError` (the key cannot name an object).
    """

    @property
    @abstractmethod
    def location(self) -> StoreLocation:
        """Return what another process needs to open this store."""

    @abstractmethod
    async def put(self, key: str, body: Body, *, size_bytes: int | None = None) -> int:
        """Write an object of any size in constant memory and return its size; an older one is replaced.

        The object appears whole and durable, or not at all: also when `body` raises or the call is cancelled.

        Args:
            key: Name of the object.
            body: All bytes, or their pieces in order.
            size_bytes: Size announced by the caller, if known; lets S3 choose parts large enough for it.

        Raises:
            TooLargeError: More bytes came than the store accepts without an announced size.
        """

    @abstractmethod
    async def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write a small object unless there is one; return whether it was written. Of two callers one wins."""

    @abstractmethod
    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes `start` to `end` (exclusive); fewer, or none, where the object ends earlier.

        Raises:
            NotFoundError: There is no such object.
        """

    @abstractmethod
    def stream(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes `start` to `end` (exclusive) in pieces of at most `BLOCK_BYTES`.

        Raises:
            NotFoundError: There is no such object; raised at the first piece.
        """

    @abstractmethod
    async def head(self, key: str) -> ObjectInfo:
        """Return size and time of an object.

        Raises:
            NotFoundError: There is no such object.
        """

    async def exists(self, key: str) -> bool:
        """Return whether there is such an object."""
        try:
            await self.head(key)
        except NotFoundError:
            return False
        return True

    @abstractmethod
    async def copy(self, source: str, target: str) -> None:
        """Make `target` an object of the same bytes inside the store; a folder links them without moving a byte.

        Raises:
            NotFoundError: There is no `source`.
        """

    @abstractmethod
    async def move(self, source: str, target: str) -> None:
        """Make `target` the object and `source` absent; in a folder this is one atomic rename.

        Raises:
            NotFoundError: There is no `source`.
        """

    @abstractmethod
    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; absent ones are no error."""

    @abstractmethod
    def list(self, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        """Yield the objects below a folder prefix (`""` or ending in `/`), in no particular order."""

    @abstractmethod
    async def check(self) -> None:
        """Return if the store can be reached and read.

        Raises:
            ConfigurationError: It refuses the credentials, or is not a folder that this process may write.
        """

    @abstractmethod
    async def discard_partial_writes(self, *, older_than_seconds: float) -> int:
        """Remove what writers that died left behind and return how many.

        A bucket does this itself: give it a lifecycle rule that aborts incomplete multipart uploads.
        """

    @abstractmethod
    async def close(self) -> None:
        """Release threads and connections."""
