"""SQL of lineage."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping, select, text

from datamate.platform.db import Session
from datamate.services.data_management.datasets.models import DatasetRow
from datamate.services.data_management.lineage.models import LineageEdgeRow

# Edges point from older to newer versions, so that the walk ends; the limit is on what one answer can hold.
_ANCESTORS: Final = text("""
    WITH RECURSIVE ancestors AS (
        SELECT edge.*, 1 AS depth FROM data_management.lineage_edges AS edge
        WHERE target_key = :dataset_key AND target_version = :version
      UNION
        SELECT edge.*, ancestors.depth + 1 FROM data_management.lineage_edges AS edge
        JOIN ancestors ON edge.target_key = ancestors.source_key AND edge.target_version = ancestors.source_version
        WHERE ancestors.depth < :max_depth
    )
    SELECT source.id AS source_id, source.name AS source_name, source_version,
           target.id AS target_id, target.name AS target_name, target_version, run_id, min(depth) AS depth
    FROM ancestors
    JOIN data_management.datasets AS source ON source.key = source_key
    JOIN data_management.datasets AS target ON target.key = target_key
    GROUP BY source.id, source.name, source_version, target.id, target.name, target_version, run_id
    ORDER BY depth, target_id, target_version, source_id, source_version
    LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Source:
    """A version that another one is made from."""

    dataset_key: int
    version: int


async def ancestors(
    session: Session, dataset_key: int, version: int, *, max_depth: int, limit: int
) -> Sequence[RowMapping]:
    """Return every edge from which a version descends, nearest first."""
    values = {"dataset_key": dataset_key, "version": version, "max_depth": max_depth, "limit": limit}
    return (await session.execute(_ANCESTORS, values)).mappings().all()


async def newest_versions(session: Session, dataset_ids: Collection[str]) -> dict[str, Source]:
    """Return the key and the newest version of each dataset that exists, deleted ones included."""
    query = select(DatasetRow.id, DatasetRow.key, DatasetRow.version).where(DatasetRow.id.in_(dataset_ids))
    return {dataset_id: Source(key, version) for dataset_id, key, version in await session.execute(query)}


def add_edges(session: Session, target: Source, sources: Collection[Source], *, run_id: str) -> None:
    """Store that a run made `target` from `sources`."""
    for source in sources:
        session.add(
            LineageEdgeRow(
                target_key=target.dataset_key,
                target_version=target.version,
                source_key=source.dataset_key,
                source_version=source.version,
                run_id=run_id,
            )
        )
