"""SQL of blobs."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text

from datamate.platform.db import Session
from datamate.services.data_management.blobs.models import BlobRow
from datamate.storage import ContentHash

# Hashes travel as text[], which the driver knows without asking the server on every new connection.
_INSERT_MISSING: Final = text("""
    INSERT INTO data_management.blobs (hash, size_bytes, object_key)
    SELECT decode(hash, 'hex'), CAST(size AS bigint), object_key
    FROM unnest(CAST(:hashes AS text[]), CAST(:sizes AS text[]), CAST(:keys AS text[])) AS blob (hash, size, object_key)
    ON CONFLICT (hash) DO NOTHING
    RETURNING encode(hash, 'hex') AS hash, id
""")
_IS_WANTED: Final = text("hash = ANY (ARRAY(SELECT decode(one, 'hex') FROM unnest(CAST(:hashes AS text[])) AS one))")


@dataclass(frozen=True, slots=True)
class PlacedContent:
    """Content whose bytes are in the object store.

    Attributes:
        content: Its size and hash.
        object_key: Where it is.
        blob_id: The row that names this object, None while there is none.
    """

    content: ContentHash
    object_key: str
    blob_id: int | None


async def find_by_hashes(session: Session, hashes: Collection[str]) -> dict[str, BlobRow]:
    """Return the blobs that exist among these hashes."""
    rows = await session.scalars(select(BlobRow).where(_IS_WANTED), {"hashes": [*hashes]})
    return {row.hash.hex(): row for row in rows}


async def insert_missing(session: Session, placed: Collection[PlacedContent]) -> dict[str, int]:
    """Insert a row for each content that has none, and return the ids of the new rows by hash."""
    # Sorted: two transactions that insert the same blobs wait for each other in the same order.
    ordered = sorted(placed, key=lambda one: one.content.hash)
    values = {
        "hashes": [one.content.hash for one in ordered],
        "sizes": [str(one.content.size_bytes) for one in ordered],
        "keys": [one.object_key for one in ordered],
    }
    rows = await session.execute(_INSERT_MISSING, values)
    return {row.hash: row.id for row in rows}
