"""Stores and shows which versions a version was made from."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import RowMapping

from datamate.contracts.data_management.files import LineageInput
from datamate.contracts.data_management.versions import Lineage, LineageEdge, LineageNode
from datamate.core.errors import FieldError, InvalidInputError, NotFoundError
from datamate.platform.db import Session
from datamate.services.data_management.datasets.models import DatasetRow
from datamate.services.data_management.datasets.service import find_dataset
from datamate.services.data_management.lineage import repository
from datamate.services.data_management.lineage.repository import Source

_MAX_DEPTH: Final = 100
_MAX_EDGES: Final = 1_000


async def get_lineage(session: Session, dataset_id: str, version: int) -> Lineage:
    """Return everything that a version was made from, nearest first.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        NotFoundError: It has no such version.
    """
    dataset = await find_dataset(session, dataset_id)
    if version > dataset.version:
        raise NotFoundError(f"The dataset has no version {version}; its newest is {dataset.version}.")
    edges = await repository.ancestors(session, dataset.key, version, max_depth=_MAX_DEPTH, limit=_MAX_EDGES)
    node = LineageNode(dataset_id=dataset.id, dataset_name=dataset.name, version=version)
    return Lineage(version=node, edges=[_edge(edge) for edge in edges])


async def find_sources(session: Session, inputs: Sequence[LineageInput]) -> set[Source]:
    """Return the versions that a new one is to be made from.

    Raises:
        InvalidInputError: One of them does not exist.
    """
    known = await repository.newest_versions(session, {one.dataset_id for one in inputs})
    return {_source(one, known, place=place) for place, one in enumerate(inputs)}


def record_lineage(
    session: Session, dataset: DatasetRow, version: int, sources: Collection[Source], *, run_id: str
) -> None:
    """Store that a run made a version from others."""
    repository.add_edges(session, Source(dataset.key, version), sources, run_id=run_id)


def _source(wanted: LineageInput, known: dict[str, Source], *, place: int) -> Source:
    newest = known.get(wanted.dataset_id)
    if newest is None or wanted.version > newest.version:
        fault = FieldError(f"inputs.{place}", f"there is no version {wanted.version} of dataset {wanted.dataset_id}")
        raise InvalidInputError(f"Not an input: {fault.message}.", errors=[fault])
    return Source(newest.dataset_key, wanted.version)


def _edge(row: RowMapping) -> LineageEdge:
    source = LineageNode(dataset_id=row["source_id"], dataset_name=row["source_name"], version=row["source_version"])
    target = LineageNode(dataset_id=row["target_id"], dataset_name=row["target_name"], version=row["target_version"])
    return LineageEdge(source=source, target=target, run_id=row["run_id"])
