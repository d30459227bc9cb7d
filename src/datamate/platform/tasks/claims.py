"""What workers write about tasks: claiming, ending, putting back. Every statement checks the fence."""

from dataclasses import dataclass
from datetime import timedelta

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Update, case, func, null, or_, select, text, update

from datamate.contracts.main.events import TaskCompleted
from datamate.contracts.main.tasks import FINAL_STATUSES, TaskError, TaskProgress, TaskStatus
from datamate.platform.db.database import Database
from datamate.platform.db.session import Session
from datamate.platform.tasks.channels import QUEUED_CHANNEL
from datamate.platform.tasks.context import HELD_STATUSES, Claim
from datamate.platform.tasks.models import TaskRow

RECLAIM_BATCH_SIZE = 100


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """How a task ends.

    Attributes:
        status: Succeeded, failed or cancelled.
        result: What a success returned.
        error: Why a failure failed.
    """

    status: TaskStatus
    result: dict[str, JsonValue] | None = None
    error: TaskError | None = None


@dataclass(frozen=True, slots=True)
class Appetite:
    """What a worker takes.

    Attributes:
        owner: Name of the worker.
        queues: Queues that it serves.
        kinds: Kinds that it has handlers for.
        lease_seconds: How long it may be silent.
    """

    owner: str
    queues: tuple[str, ...]
    kinds: tuple[str, ...]
    lease_seconds: float


async def claim_tasks(database: Database, appetite: Appetite, *, limit: int) -> list[Claim]:
    """Take up to `limit` waiting tasks, highest priority first, then oldest; nobody else gets the same ones."""
    # A CTE is evaluated once; as a plain subquery the planner may run it again and lock more than the limit.
    picked = (
        select(TaskRow.id)
        .where(
            TaskRow.status == TaskStatus.QUEUED,
            TaskRow.available_at <= func.now(),
            TaskRow.queue.in_(appetite.queues),
            TaskRow.kind.in_(appetite.kinds),
        )
        .order_by(TaskRow.priority.desc(), TaskRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    taken = (
        update(TaskRow)
        .where(TaskRow.id == picked.c.id)
        .values(
            status=TaskStatus.RUNNING,
            attempt=TaskRow.attempt + 1,
            fence=TaskRow.fence + 1,
            lease_owner=appetite.owner,
            lease_until=func.now() + timedelta(seconds=appetite.lease_seconds),
            started_at=func.coalesce(TaskRow.started_at, func.now()),
            version=TaskRow.version + 1,
        )
        .returning(
            TaskRow.id,
            TaskRow.kind,
            TaskRow.payload,
            TaskRow.attempt,
            TaskRow.max_attempts,
            TaskRow.fence,
            TaskRow.created_by,
        )
    )
    async with database.transaction() as session:
        rows = (await session.execute(taken)).all()
    return [Claim(*row) for row in rows]


async def store_progress(database: Database, claim: Claim, progress: TaskProgress) -> None:
    """Store how far a task is, unless another worker has it now."""
    values = {"progress": progress.model_dump(mode="json"), "version": TaskRow.version + 1}
    async with database.transaction() as session:
        await session.execute(update(TaskRow).where(*_held(claim)).values(values))


async def end_task(database: Database, claim: Claim, end: TaskEnd, progress: TaskProgress | None) -> bool:
    """End a task and publish it; a failure after a request to cancel ends as cancelled.

    Returns:
        False when another worker has the task now, and nothing was written.
    """
    status: TaskStatus | ColumnElement[str] = end.status
    if status == TaskStatus.FAILED:
        status = _if_cancelling(TaskStatus.CANCELLED, otherwise=TaskStatus.FAILED)
    error = None if end.error is None else end.error.model_dump(mode="json")
    values = _moved(status) | {"result": end.result, "error": error, "finished_at": func.now()}
    if progress is not None:
        values["progress"] = progress.model_dump(mode="json")
    async with database.transaction() as session:
        return bool(await _move(session, update(TaskRow).where(*_held(claim)).values(values)))


async def put_back(
    database: Database, claim: Claim, *, error: TaskError | None, delay_seconds: float = 0.0, counted: bool = True
) -> bool:
    """Queue a task again, or end it if someone asked to cancel it meanwhile.

    Args:
        database: Where the task is.
        claim: The claim that gives it up.
        error: Why the attempt failed; None keeps the error of the one before.
        delay_seconds: Not to be claimed before.
        counted: Whether this attempt counts towards the most allowed.

    Returns:
        False when another worker has the task now, and nothing was written.
    """
    values = _moved(_if_cancelling(TaskStatus.CANCELLED, otherwise=TaskStatus.QUEUED)) | {
        "available_at": func.now() + timedelta(seconds=delay_seconds),
        "finished_at": case((TaskRow.status == TaskStatus.CANCELLING, func.now()), else_=null()),
    }
    if error is not None:
        values["error"] = error.model_dump(mode="json")
    if not counted:
        values["attempt"] = TaskRow.attempt - 1
    async with database.transaction() as session:
        return bool(await _move(session, update(TaskRow).where(*_held(claim)).values(values)))


async def reclaim_expired(database: Database) -> int:
    """Take tasks from workers that fell silent: back into the queue, or to their end; return how many."""
    silent = (
        select(TaskRow.id)
        .where(TaskRow.status.in_(HELD_STATUSES), TaskRow.lease_until < func.now())
        .limit(RECLAIM_BATCH_SIZE)
        .with_for_update(skip_locked=True)
        .cte("silent")
    )
    used_up = TaskRow.attempt >= TaskRow.max_attempts
    cancelling = TaskRow.status == TaskStatus.CANCELLING
    message = func.concat(
        "The worker ", TaskRow.lease_owner, " died or lost its connection during attempt ", TaskRow.attempt, " of "
    )
    lost = func.jsonb_build_object(
        "code", "worker_lost", "message", func.concat(message, TaskRow.max_attempts, "."), "retryable", text("true")
    )
    status = case((cancelling, TaskStatus.CANCELLED), (used_up, TaskStatus.FAILED), else_=TaskStatus.QUEUED)
    values = _moved(status) | {
        "available_at": func.now(),
        "finished_at": case((or_(cancelling, used_up), func.now()), else_=null()),
        "error": lost,
    }
    async with database.transaction() as session:
        return len(await _move(session, update(TaskRow).where(TaskRow.id == silent.c.id).values(values)))


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that the claim is still the newest one."""
    return (TaskRow.id == claim.task_id, TaskRow.fence == claim.fence, TaskRow.status.in_(HELD_STATUSES))


def _moved(status: TaskStatus | ColumnElement[str]) -> dict[str, object]:
    return {"status": status, "lease_owner": None, "lease_until": None, "version": TaskRow.version + 1}


def _if_cancelling(status: TaskStatus, *, otherwise: TaskStatus) -> ColumnElement[str]:
    return case((TaskRow.status == TaskStatus.CANCELLING, status), else_=otherwise)


async def _move(session: Session, statement: Update) -> list[str]:
    """Change the status of tasks; tell of those that ended, wake workers for those that wait. Returns their ids."""
    rows = (await session.execute(statement.returning(TaskRow.id, TaskRow.kind, TaskRow.status, TaskRow.version))).all()
    for task_id, kind, status, version in rows:
        if status in FINAL_STATUSES:
            session.publish(TaskCompleted(aggregate_id=task_id, aggregate_version=version, kind=kind, status=status))
    if any(row.status == TaskStatus.QUEUED for row in rows):
        await session.execute(select(func.pg_notify(QUEUED_CHANNEL, "")))
    return [row.id for row in rows]
