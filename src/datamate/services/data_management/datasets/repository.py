"""SQL of datasets."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from datamate.contracts.data_management.datasets import DatasetStatus, DatasetType
from datamate.platform.db import Session
from datamate.services.data_management.datasets.filter import DatasetFilter
from datamate.services.data_management.datasets.models import DatasetRow
from datamate.services.data_management.tags.models import DatasetTagRow

_IS_NOT_DELETED: Final = text("status <> 'deleted'")


async def find(session: Session, dataset_id: str, *, lock: bool = False) -> DatasetRow | None:
    """Return a dataset that is not deleted, or None.

    Args:
        session: Any session; a transaction if `lock` is set.
        dataset_id: Which one.
        lock: Hold the row until the transaction ends.
    """
    query = select(DatasetRow).where(DatasetRow.id == dataset_id, DatasetRow.status == DatasetStatus.ACTIVE)
    if lock:
        # populate_existing: the row may have changed since this session read it without the lock.
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def list_page(
    session: Session, wanted: DatasetFilter, *, before_id: str | None, limit: int
) -> Sequence[DatasetRow]:
    """Return up to `limit` datasets older than `before_id`, newest first."""
    query = select(DatasetRow).where(DatasetRow.status == DatasetStatus.ACTIVE)
    if before_id is not None:
        query = query.where(DatasetRow.id < before_id)
    if wanted.type is not None:
        query = query.where(DatasetRow.type == wanted.type)
    if wanted.created_by is not None:
        query = query.where(DatasetRow.created_by == wanted.created_by)
    if wanted.tag is not None:
        query = query.join(DatasetTagRow, DatasetTagRow.dataset_key == DatasetRow.key)
        query = query.where(DatasetTagRow.tag == wanted.tag)
    return (await session.scalars(query.order_by(DatasetRow.id.desc()).limit(limit))).all()


async def insert_dataset(  # noqa: PLR0913 - the columns of a row
    session: Session, *, dataset_id: str, name: str, description: str, dataset_type: DatasetType, created_by: str
) -> DatasetRow | None:
    """Insert a dataset and return it; None if the name is taken, also by a transaction that commits meanwhile."""
    statement = (
        insert(DatasetRow)
        .values(id=dataset_id, name=name, description=description, type=dataset_type, created_by=created_by)
        .on_conflict_do_nothing(index_elements=[DatasetRow.name], index_where=_IS_NOT_DELETED)
        .returning(DatasetRow)
    )
    return (await session.scalars(statement)).one_or_none()
