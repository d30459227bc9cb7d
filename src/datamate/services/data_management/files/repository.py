"""SQL of files."""

import sys
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import RowMapping, Text, any_, cast, select
from sqlalchemy.dialects.postgresql import ARRAY

from datamate.platform.db import Session
from datamate.services.data_management.blobs.models import BlobRow
from datamate.services.data_management.versions.models import EntryRow
from datamate.services.data_management.versions.repository import visible_in

# Surrogates are no characters: no text that PostgreSQL stores holds one.
_FIRST_SURROGATE: Final = 0xD800
_AFTER_SURROGATES: Final = 0xE000
_COLUMNS: Final = (
    EntryRow.file_id,
    EntryRow.path,
    EntryRow.size_bytes,
    EntryRow.media_type,
    EntryRow.created_at,
    EntryRow.v_from,
    EntryRow.blob_id,
    BlobRow.hash,
    BlobRow.object_key,
)
_FILES: Final = select(*_COLUMNS).join(BlobRow, BlobRow.id == EntryRow.blob_id)


async def list_page(  # noqa: PLR0913 - a place in a version
    session: Session, dataset_key: int, version: int | None, *, after: str, prefix: str, limit: int
) -> Sequence[RowMapping]:
    """Return up to `limit` files of a version after the path `after`, by path.

    Args:
        session: Any session.
        dataset_key: Which dataset.
        version: Which version; None means the newest.
        after: Only paths after this one, in the order of their bytes.
        prefix: Only paths that begin so.
        limit: Most rows.
    """
    query = _FILES.where(EntryRow.dataset_key == dataset_key, EntryRow.path > after, *visible_in(version))
    if prefix:
        query = query.where(EntryRow.path >= prefix)
        end = _end_of(prefix)
        query = query if end is None else query.where(EntryRow.path < end)
    return (await session.execute(query.order_by(EntryRow.path).limit(limit))).mappings().all()


async def find(session: Session, dataset_key: int, file_id: str, version: int | None) -> RowMapping | None:
    """Return a file of a version by its id, or None; version None means the newest."""
    query = _FILES.where(EntryRow.file_id == file_id, EntryRow.dataset_key == dataset_key, *visible_in(version))
    return (await session.execute(query)).mappings().one_or_none()


async def find_by_paths(session: Session, dataset_key: int, paths: Collection[str]) -> dict[str, RowMapping]:
    """Return the files of the newest version at these paths."""
    wanted = EntryRow.path == any_(cast([*paths], ARRAY(Text)))
    query = _FILES.where(EntryRow.dataset_key == dataset_key, wanted, *visible_in(None))
    return {row["path"]: row for row in (await session.execute(query)).mappings()}


def _end_of(prefix: str) -> str | None:
    """Return the first text after all that begin with `prefix`, by code points; None if there is none."""
    kept = prefix.rstrip(chr(sys.maxunicode))
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(_AFTER_SURROGATES if following == _FIRST_SURROGATE else following)
