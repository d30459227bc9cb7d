"""Keeps totals by adding up changes; nothing is ever counted."""

from datamate.contracts.data_management.tags import Statistics
from datamate.platform.db import Database, Session
from datamate.services.data_management.statistics import repository
from datamate.services.data_management.statistics.models import StatisticsDeltaRow


def record_change(session: Session, *, dataset_count: int = 0, file_count: int = 0, size_bytes: int = 0) -> None:
    """Add what the transaction of `session` changes to the totals."""
    session.add(StatisticsDeltaRow(dataset_count=dataset_count, file_count=file_count, size_bytes=size_bytes))


async def get_statistics(session: Session) -> Statistics:
    """Return the totals over every dataset that is not deleted, at its newest version."""
    return await repository.read(session)


async def fold_changes(database: Database) -> None:
    """Fold recorded changes until one row is left, so that reading the totals stays a short sum."""
    while True:
        async with database.transaction() as session:
            if await repository.fold(session) <= 1:
                return
