"""The identity of content: BLAKE3, computed while the bytes pass."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from blake3 import blake3

from datamate.core.errors import TooLargeError
from datamate.storage.store import ObjectStore


@dataclass(frozen=True, slots=True)
class ContentHash:
    """Size and BLAKE3 (64 hexadecimal digits) of some content."""

    size_bytes: int
    hash: str


class HashingStream:
    """Passes bytes on and knows, once they ended, how many there were and what they hash to."""

    def __init__(self, source: AsyncIterable[bytes], *, max_bytes: int | None = None) -> None:
        """Wrap `source`; more than `max_bytes` raise `TooLargeError` while streaming."""
        self._source = source
        self._max_bytes = max_bytes
        self._hasher = blake3()
        self._size_bytes = 0

    @property
    def content(self) -> ContentHash:
        """Return size and hash of what has passed so far."""
        return ContentHash(self._size_bytes, self._hasher.hexdigest())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces of the source unchanged.

        Raises:
            TooLargeError: There are more bytes than allowed.
        """
        async for piece in self._source:
            self._size_bytes += len(piece)
            if self._max_bytes is not None and self._size_bytes > self._max_bytes:
                raise TooLargeError(f"The content is larger than the {self._max_bytes:,} bytes that are allowed.")
            self._hasher.update(piece)
            yield piece


async def hash_object(store: ObjectStore, key: str) -> ContentHash:
    """Return size and hash of a stored object by reading all of it.

    Raises:
        NotFoundError: There is no such object.
    """
    stream = HashingStream(store.stream(key))
    async for _ in stream:
        pass
    return stream.content
