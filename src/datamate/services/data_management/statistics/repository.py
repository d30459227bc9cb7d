"""SQL of running totals."""

from typing import Final

from sqlalchemy import BigInteger, cast, delete, func, select

from datamate.contracts.data_management.tags import Statistics
from datamate.platform.db import Session
from datamate.services.data_management.statistics.models import StatisticsDeltaRow

_FOLD_ROWS: Final = 10_000
_COLUMNS: Final = (
    StatisticsDeltaRow.dataset_count,
    StatisticsDeltaRow.file_count,
    StatisticsDeltaRow.size_bytes,
)


async def read(session: Session) -> Statistics:
    """Return the totals."""
    sums = (func.coalesce(cast(func.sum(column), BigInteger), 0).label(column.key) for column in _COLUMNS)
    return Statistics.model_validate((await session.execute(select(*sums))).one(), from_attributes=True)


async def fold(session: Session) -> int:
    """Replace the oldest rows that no other sweep holds by their sum; return how many there were."""
    oldest = select(StatisticsDeltaRow.id).order_by(StatisticsDeltaRow.id).limit(_FOLD_ROWS)
    statement = (
        delete(StatisticsDeltaRow)
        .where(StatisticsDeltaRow.id.in_(oldest.with_for_update(skip_locked=True)))
        .returning(*_COLUMNS)
    )
    rows = (await session.execute(statement)).all()
    if rows:
        datasets, files, size = (sum(column) for column in zip(*rows, strict=True))
        session.add(StatisticsDeltaRow(dataset_count=datasets, file_count=files, size_bytes=size))
    return len(rows)
