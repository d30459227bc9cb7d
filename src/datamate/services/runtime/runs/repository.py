"""SQL of runs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from datamate.contracts.main.tasks import FINAL_STATUSES
from datamate.contracts.runtime.runs import Run, RunStatus, RunSummary
from datamate.platform.db import Session
from datamate.platform.tasks.checkpoint import CheckpointRow
from datamate.platform.tasks.models import TaskRow, as_task
from datamate.services.runtime.runs.models import RunRow

_WithTask = Select[RunRow, TaskRow]


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list.

    Attributes:
        created_by: Only those of this user; None for everybody's.
        dataset_id: Only those that read or write this dataset; None for all.
    """

    created_by: str | None = None
    dataset_id: str | None = None


async def find(session: Session, run_id: str) -> Run | None:
    """Return a run, or None."""
    found = (await session.execute(_with_task().where(RunRow.id == run_id))).one_or_none()
    return None if found is None else _as_run(found)


async def find_by_task(session: Session, task_id: str) -> Run | None:
    """Return the run that a task carries out, or None."""
    found = (await session.execute(_with_task().where(RunRow.task_id == task_id))).one_or_none()
    return None if found is None else _as_run(found)


async def list_page(session: Session, wanted: RunFilter, *, before_id: str | None, limit: int) -> list[Run]:
    """Return up to `limit` runs older than `before_id`, newest first."""
    query = _with_task().order_by(RunRow.id.desc()).limit(limit)
    if wanted.created_by is not None:
        query = query.where(RunRow.created_by == wanted.created_by)
    if wanted.dataset_id is not None:
        touches = (RunRow.dataset_id == wanted.dataset_id) | (RunRow.output_dataset_id == wanted.dataset_id)
        query = query.where(touches)
    if before_id is not None:
        query = query.where(RunRow.id < before_id)
    return [_as_run(found) for found in await session.execute(query)]


def add(session: Session, row: RunRow) -> None:
    """Store a new run."""
    session.add(row)


async def finish(session: Session, run_id: str, *, output_version: int, summary: dict[str, JsonValue]) -> None:
    """Store what came of a run, and forget its checkpoints."""
    await session.execute(
        update(RunRow).where(RunRow.id == run_id).values(output_version=output_version, summary=summary)
    )
    await session.execute(delete(CheckpointRow).where(CheckpointRow.run_id == run_id))


async def open_checkpoints(session: Session, run_id: str, key: str) -> Sequence[CheckpointRow]:
    """Return the checkpoints of a run that were made under `key`, and remove those of another."""
    ours = CheckpointRow.run_id == run_id
    await session.execute(delete(CheckpointRow).where(ours, CheckpointRow.key != key))
    return (await session.scalars(select(CheckpointRow).where(ours))).all()


async def add_checkpoint(session: Session, values: Mapping[str, object]) -> None:
    """Store a checkpoint; of two made by one claim the first stays, and a later claim's replaces an earlier one's."""
    statement = insert(CheckpointRow).values(**values)
    changed = {name: statement.excluded[name] for name in ("key", "attempt", "fence", "payload")}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "stage", "partition"],
            set_=changed,
            where=CheckpointRow.fence < statement.excluded.fence,
        )
    )


async def ended_among(session: Session, run_ids: Collection[str]) -> frozenset[str]:
    """Return those of the runs that have ended, or that do not exist."""
    alive = (
        select(RunRow.id)
        .join(TaskRow, TaskRow.id == RunRow.task_id)
        .where(RunRow.id.in_(run_ids), TaskRow.status.not_in(FINAL_STATUSES))
    )
    return frozenset(run_ids) - frozenset(await session.scalars(alive))


def is_run_id(text: str) -> bool:
    """Return whether text can be the id of a run at all."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _with_task() -> _WithTask:
    return select(RunRow, TaskRow).join(TaskRow, TaskRow.id == RunRow.task_id)


def _as_run(found: Row[RunRow, TaskRow]) -> Run:
    row, task = found[0], as_task(found[1])
    return Run(
        id=row.id,
        status=RunStatus(task.status),
        task_id=row.task_id,
        recipe=row.recipe,
        dataset_id=row.dataset_id,
        version=row.version,
        output_dataset_id=row.output_dataset_id,
        output_format=row.output_format,
        output_version=row.output_version,
        created_by=row.created_by,
        created_at=row.created_at,
        started_at=task.started_at,
        finished_at=task.finished_at,
        progress=task.progress,
        summary=None if row.summary is None else RunSummary.model_validate(row.summary),
        error=task.error,
        plan=row.plan,
        revision=task.version,
    )
