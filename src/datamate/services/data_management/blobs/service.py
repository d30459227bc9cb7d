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
from datamate.services.data_management.blobs.side_by_side import side_by_side
from datamate.services.data_management.deps import DataManagementResources
from datamate.storage import ContentHash, HashingStream, ObjectStore

STAGING: Final = "staging/"
"""Folder of objects that no row names yet; a sweep removes the old ones."""

IN_MEMORY_BYTES: Final = 1 << 20
"""Content up to this size is hashed before it is written, so it needs no staging."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """Content that has arrived whole and is what was claimed.

    Attributes:
        content: Its size and hash.
        data: Its bytes, if there are few.
        staged_key: The object that holds them otherwise.
    """

    content: ContentHash
    data: bytes | None = None
    staged_key: str | None = None


async def take(resources: DataManagementResources, body: AsyncIterable[bytes], claims: ContentClaims) -> Arrived:
    """Take in content in constant memory; when the body breaks, or is not what was claimed, nothing is left behind.

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
        if len(head) > IN_MEMORY_BYTES:
            break
    else:
        return Arrived(stream.content, data=bytes(head))
    staged = f"{STAGING}uploads/{uuid4()}"
    await resources.store.put(staged, _chained(bytes(head), pieces), size_bytes=claims.size_bytes)
    return Arrived(stream.content, staged_key=staged)


async def place(resources: DataManagementResources, arrived: Sequence[Arrived]) -> list[PlacedContent]:
    """Put content where blobs are, each content once, and return where each one is, in the same order."""
    async with resources.database.reader() as session:
        known = await repository.find_by_hashes(session, {one.content.hash for one in arrived})
    found = {text: PlacedContent(_content(row), row.object_key, row.id) for text, row in known.items()}
    missing = {one.content.hash: one for one in reversed(arrived) if one.content.hash not in found}
    written = await side_by_side(missing.values(), lambda one: _write(resources.store, one))
    found |= {one.content.hash: one for one in written}
    surplus = [one.staged_key for one in arrived if one.staged_key and missing.get(one.content.hash) is not one]
    await _discard(resources.store, surplus)
    return [found[one.content.hash] for one in arrived]


async def register(session: Session, store: ObjectStore, placed: Collection[PlacedContent]) -> dict[str, int]:
    """Return the ids of the blob rows of placed content by hash, made in this transaction where they are missing."""
    ids = {one.content.hash: one.blob_id for one in placed if one.blob_id is not None}
    new = {one.content.hash: one for one in placed if one.blob_id is None}
    if not new:
        return ids
    made = await repository.insert_missing(session, new.values())
    if lost := new.keys() - made.keys():
        # Another transaction kept the same content meanwhile: nothing will ever name our objects.
        made |= {text: row.id for text, row in (await repository.find_by_hashes(session, lost)).items()}
        surplus = [new[text].object_key for text in lost]
        session.after_commit(lambda: _discard(store, surplus))
    return ids | made


async def find_by_hashes(session: Session, hashes: Collection[str]) -> dict[str, BlobRow]:
    """Return the blobs that exist among these hashes."""
    return await repository.find_by_hashes(session, hashes)


async def place_copy(store: ObjectStore, content: ContentHash, source_key: str) -> PlacedContent:
    """Copy an object that holds `content` to where blobs are; the source stays for whoever repeats the call."""
    key = _new_object_key(content)
    await store.copy(source_key, key)
    return PlacedContent(content, key, blob_id=None)


async def _write(store: ObjectStore, arrived: Arrived) -> PlacedContent:
    key = _new_object_key(arrived.content)
    if arrived.staged_key is not None:
        await store.move(arrived.staged_key, key)
    else:
        await store.put(key, arrived.data or b"")
    return PlacedContent(arrived.content, key, blob_id=None)


def _content(row: BlobRow) -> ContentHash:
    return ContentHash(row.size_bytes, row.hash.hex())


def _new_object_key(content: ContentHash) -> str:
    # The uuid makes every object new: one that garbage collection is about to remove is never named again.
    return f"blobs/{content.hash}/{uuid4()}"


async def _discard(store: ObjectStore, keys: Sequence[str]) -> None:
    # Objects that no row ever named; if this fails, they are garbage like any other.
    if keys:
        with suppress(DatamateError):
            await store.delete(keys)


async def _chained(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for piece in rest:
        yield piece
