"""SQL of blobs."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import LargeBinary, any_, cast, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from datamate.platform.db import Session
from datamate.services.data_management.blobs.models import BlobRow
from datamate.storage import ContentHash

_INSERT_MISSING: Final = text("""
    INSERT INTO data_management.blobs (hash, size_bytes, object_key)
    SELECT * FROM unnest(CAST(:hashes AS bytea[]), CAST(:sizes AS bigint[]), CAST(:keys AS text[]))
    ON CONFLICT (hash) DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class PlacedContent:
    """Content whose bytes are in the object store.

    Attributes:
        content: Its size and hash.
        object_key: Where it is.
        is_registered: Whether a row named this object when it was looked up.
    """

    content: ContentHash
    object_key: str
    is_registered: bool


async def find_by_hashes(session: Session, hashes: Collection[str]) -> dict[str, BlobRow]:
    """Return the blobs that exist among these hashes."""
    wanted = [bytes.fromhex(text) for text in hashes]
    rows = await session.scalars(select(BlobRow).where(BlobRow.hash == any_(cast(wanted, ARRAY(LargeBinary)))))
    return {row.hash.hex(): row for row in rows}


async def insert_missing(session: Session, placed: Collection[PlacedContent]) -> None:
    """Insert a row for each content that has none; of two transactions with the same content, one row stays."""
    # Sorted: two transactions that insert the same blobs wait for each other in the same order.
    ordered = sorted(placed, key=lambda one: one.content.hash)
    if ordered:
        values = {
            "hashes": [bytes.fromhex(one.content.hash) for one in ordered],
            "sizes": [one.content.size_bytes for one in ordered],
            "keys": [one.object_key for one in ordered],
        }
        await session.execute(_INSERT_MISSING, values)
