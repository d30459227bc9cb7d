"""Files on their way into a version: a raw body brings one, a form brings many."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from datamate.services.data_management.blobs.checksums import ContentClaims
from datamate.services.data_management.blobs.repository import PlacedContent
from datamate.services.data_management.blobs.service import IN_MEMORY_BYTES, Arrived, place, take
from datamate.services.data_management.deps import DataManagementResources
from datamate.services.data_management.files.multipart import MultipartReader
from datamate.services.data_management.versions.changes import Change
from datamate.services.data_management.versions.media_types import media_type_of
from datamate.services.data_management.versions.paths import normal_path

_BATCH_FILES: Final = 64
_BATCH_BYTES: Final = 8 * IN_MEMORY_BYTES


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file whose content has arrived and been placed."""

    path: str
    media_type: str
    placed: PlacedContent

    def change(self, blob_id: int) -> Change:
        """Return the change that puts this file into a version."""
        return Change(self.path, blob_id, size_bytes=self.placed.content.size_bytes, media_type=self.media_type)


IncomingFiles = AsyncIterator[Sequence[Incoming]]
"""Files as they arrive, some at a time."""


@dataclass(frozen=True, slots=True)
class _Unplaced:
    path: str
    media_type: str
    arrived: Arrived


async def incoming_body(
    resources: DataManagementResources,
    path: str,
    body: AsyncIterable[bytes],
    claims: ContentClaims,
    *,
    claimed_type: str | None,
) -> IncomingFiles:
    """Yield the one file that a raw body brings.

    Raises:
        InvalidPathError: The path is not valid; nothing of the body is read.
        TooLargeError, SizeMismatchError, ChecksumMismatchError, StorageFullError: As `blobs.take`.
    """
    normal = normal_path(path)
    arrived = await take(resources, body, claims)
    yield await _place(resources, [_Unplaced(normal, media_type_of(normal, claimed=claimed_type), arrived)])


async def incoming_form(resources: DataManagementResources, reader: MultipartReader) -> IncomingFiles:
    """Yield the files that a form brings, many small ones at a time, so that what they cost together they share.

    Raises:
        InvalidPathError: The name of a file is not a valid path.
        MultipartError: The body is malformed.
        TooLargeError, StorageFullError: As `blobs.take`.
    """
    batch: list[_Unplaced] = []
    held_bytes = 0
    async for part in reader.parts():
        path = normal_path(part.filename, field=f"files.{part.place}")
        arrived = await take(resources, reader.content(), ContentClaims())
        batch.append(_Unplaced(path, media_type_of(path, claimed=part.content_type), arrived))
        held_bytes += len(arrived.data or b"")
        if len(batch) == _BATCH_FILES or held_bytes >= _BATCH_BYTES:
            yield await _place(resources, batch)
            batch, held_bytes = [], 0
    if batch:
        yield await _place(resources, batch)


async def _place(resources: DataManagementResources, files: Sequence[_Unplaced]) -> Sequence[Incoming]:
    placed = await place(resources, [file.arrived for file in files])
    return [Incoming(file.path, file.media_type, one) for file, one in zip(files, placed, strict=True)]
