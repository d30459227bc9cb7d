"""Takes in content of any size and keeps each content once."""

from collections.abc import AsyncIterable, AsyncIterator, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from datamate.core.errors import DatamateError
from datamate.platform.db import Session
from datamate.services.data_management.blobs import repository
from datamate.services.data_management.blobs.checksums import ContentClaims
from datamate.services.data_management.blobs.models import BlobRow
from datamate.services.data_management.blobs.repository import PlacedContent
from datamate.services.data_management.deps import DataManagementResources
from datamate.storage import ContentHash, HashingStream, ObjectStore

STAGING: Final = "staging/"
"""Folder of objects that no row names yet; a sweep removes the old ones."""

_IN_MEMORY_BYTES: Final = 1 << 20
"""Content up to this size is hashed before it is written, so it needs no staging."""


async def receive(
    resources: DataManagementResources, body: AsyncIterable[bytes], claims: ContentClaims
) -> PlacedContent:
    """Stream content into the object store, in constant memory, and return where it is.

    When the body breaks, or is not what was claimed, nothing is left behind.

    Raises:
        TooLargeError: It is larger than one file may be.
        SizeMismatchError, ChecksumMismatchError: It is not what the client claims.
        StorageFullError: There is no space for it.
    """
    stream = HashingStream(claims.checked(body), max_bytes=resources.settings.storage.max_upload_bytes)
    pieces = aiter(stream)
    head = bytearray()
    async for piece in pieces:
        head += piece
        if len(head) > _IN_MEMORY_BYTES:
            break
    else:
        return await _place(resources, stream.content, _InMemory(bytes(head)))
    staged = f"{STAGING}uploads/{uuid4()}"
    await resources.store.put(staged, _chained(bytes(head), pieces), size_bytes=claims.size_bytes)
    return await _place(resources, stream.content, _Staged(staged))


async def register(session: Session, store: ObjectStore, placed: Collection[PlacedContent]) -> dict[str, BlobRow]:
    """Return the blob rows of placed content by hash, made in this transaction where they are missing."""
    await repository.insert_missing(session, [one for one in placed if not one.is_registered])
    rows = await repository.find_by_hashes(session, {one.content.hash for one in placed})
    # Another transaction may have kept the same content meanwhile: then nothing will ever name our object.
    surplus = [one.object_key for one in placed if rows[one.content.hash].object_key != one.object_key]
    if surplus:
        session.after_commit(lambda: _discard(store, surplus))
    return rows


async def find_by_hashes(session: Session, hashes: Collection[str]) -> dict[str, BlobRow]:
    """Return the blobs that exist among these hashes."""
    return await repository.find_by_hashes(session, hashes)


async def place_copy(resources: DataManagementResources, content: ContentHash, source_key: str) -> PlacedContent:
    """Copy an object that holds `content` to where blobs are; the source stays for whoever repeats the call."""
    key = _new_object_key(content)
    await resources.store.copy(source_key, key)
    return PlacedContent(content, key, is_registered=False)


@dataclass(frozen=True, slots=True)
class _InMemory:
    data: bytes

    async def move_to(self, store: ObjectStore, key: str) -> None:
        await store.put(key, self.data)

    async def drop(self, store: ObjectStore) -> None:
        """Nothing was written."""


@dataclass(frozen=True, slots=True)
class _Staged:
    key: str

    async def move_to(self, store: ObjectStore, key: str) -> None:
        await store.move(self.key, key)

    async def drop(self, store: ObjectStore) -> None:
        await _discard(store, [self.key])


async def _place(
    resources: DataManagementResources, content: ContentHash, arrived: _InMemory | _Staged
) -> PlacedContent:
    async with resources.database.reader() as session:
        known = (await repository.find_by_hashes(session, [content.hash])).get(content.hash)
    if known is not None:
        await arrived.drop(resources.store)
        return PlacedContent(content, known.object_key, is_registered=True)
    key = _new_object_key(content)
    await arrived.move_to(resources.store, key)
    return PlacedContent(content, key, is_registered=False)


def _new_object_key(content: ContentHash) -> str:
    # The uuid makes every object new: one that garbage collection is about to remove is never named again.
    return f"blobs/{content.hash}/{uuid4()}"


async def _discard(store: ObjectStore, keys: Sequence[str]) -> None:
    # Objects that no row ever named; if this fails, they are garbage like any other.
    with suppress(DatamateError):
        await store.delete(keys)


async def _chained(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for piece in rest:
        yield piece
