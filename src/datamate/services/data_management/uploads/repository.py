"""SQL of uploads."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, Text, any_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from datamate.contracts.data_management.uploads import UploadStatus
from datamate.platform.db import Session
from datamate.services.data_management.blobs.models import BlobRow
from datamate.services.data_management.uploads.models import UploadRow
from datamate.services.data_management.versions.models import ChangeRow


async def insert_upload(  # noqa: PLR0913 - the columns of a row
    session: Session,
    *,
    upload_id: str,
    dataset_id: str,
    base_version: int,
    message: str,
    created_by: str,
    lifetime: timedelta,
) -> UploadRow:
    """Insert an open upload and return it."""
    statement = insert(UploadRow).values(
        id=upload_id,
        dataset_id=dataset_id,
        base_version=base_version,
        message=message,
        created_by=created_by,
        expires_at=func.now() + lifetime,
    )
    return (await session.scalars(statement.returning(UploadRow))).one()


async def find(session: Session, upload_id: str) -> UploadRow | None:
    """Return an upload, or None."""
    return await session.get(UploadRow, upload_id)


async def lock(session: Session, upload_id: str, *, shared: bool) -> UploadRow | None:
    """Return an upload that nobody can close until the transaction ends; None if there is none.

    Args:
        session: A transaction.
        upload_id: Which one.
        shared: Let others do the same, as files that arrive side by side; False to close it.
    """
    query = select(UploadRow).where(UploadRow.id == upload_id).with_for_update(read=shared)
    return (await session.scalars(query, execution_options={"populate_existing": True})).one_or_none()


async def expired(session: Session, *, now: datetime, limit: int) -> Sequence[UploadRow]:
    """Return open uploads whose time is over and that nobody holds, and hold them."""
    query = (
        select(UploadRow)
        .where(UploadRow.status == UploadStatus.OPEN, UploadRow.expires_at < now)
        .order_by(UploadRow.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query)).all()


async def received_page(session: Session, upload_id: str, *, after: str, limit: int) -> Sequence[RowMapping]:
    """Return up to `limit` files that an upload received, after the path `after`, by path."""
    query = (
        select(ChangeRow.path, ChangeRow.size_bytes, ChangeRow.media_type, BlobRow.hash)
        .join(BlobRow, BlobRow.id == ChangeRow.blob_id)
        .where(ChangeRow.change_set_id == upload_id, ChangeRow.path > after)
        .order_by(ChangeRow.path)
        .limit(limit)
    )
    return (await session.execute(query)).mappings().all()


async def find_received(session: Session, upload_id: str, paths: Collection[str]) -> Sequence[str]:
    """Return those of `paths` that an upload received."""
    wanted = ChangeRow.path == any_(cast([*paths], ARRAY(Text)))
    return (await session.scalars(select(ChangeRow.path).where(ChangeRow.change_set_id == upload_id, wanted))).all()
