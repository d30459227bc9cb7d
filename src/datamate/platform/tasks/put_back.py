"""Tasks that go back into the queue: after a failure, at the end of a worker, or from a worker that fell silent."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Update, case, func, null, or_, select, text, update

from datamate.contracts.main.events import TaskCompleted
from datamate.contracts.main.tasks import FINAL_STATUSES, TaskError, TaskStatus
from datamate.platform.db.database import Database
from datamate.platform.db.session import Session
from datamate.platform.tasks.channels import QUEUED_CHANNEL
from datamate.platform.tasks.context import HELD_STATUSES, Claim
from datamate.platform.tasks.models import TaskRow

RECLAIM_BATCH_SIZE = 100


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
    cancelling = TaskRow.status == TaskStatus.CANCELLING
    values = _moved(case((cancelling, TaskStatus.CANCELLED), else_=TaskStatus.QUEUED)) | {
        "available_at": func.now() + timedelta(seconds=delay_seconds),
        "finished_at": case((cancelling, func.now()), else_=null()),
    }
    if error is not None:
        values["error"] = error.model_dump(mode="json")
    if not counted:
        values["attempt"] = TaskRow.attempt - 1
    held = (TaskRow.id == claim.task_id, TaskRow.fence == claim.fence, TaskRow.status.in_(HELD_STATUSES))
    async with database.transaction() as session:
        return await _move(session, update(TaskRow).where(*held).values(values)) == 1


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
    status = case((cancelling, TaskStatus.CANCELLED), (used_up, TaskStatus.FAILED), else_=TaskStatus.QUEUED)
    values = _moved(status) | {
        "available_at": func.now(),
        "finished_at": case((or_(cancelling, used_up), func.now()), else_=null()),
        "error": _worker_lost(),
    }
    async with database.transaction() as session:
        return await _move(session, update(TaskRow).where(TaskRow.id == silent.c.id).values(values))


def _worker_lost() -> ColumnElement[object]:
    """Return the error of a task whose worker fell silent, as the database builds it from the row."""
    worker = func.concat("The worker ", TaskRow.lease_owner, " died or lost its connection")
    attempts = func.concat(" during attempt ", TaskRow.attempt, " of ", TaskRow.max_attempts, ".")
    return func.jsonb_build_object(
        "code", "worker_lost", "message", func.concat(worker, attempts), "retryable", text("true")
    )


def _moved(status: ColumnElement[str]) -> dict[str, object]:
    return {"status": status, "lease_owner": None, "lease_until": None, "version": TaskRow.version + 1}


async def _move(session: Session, statement: Update) -> int:
    """Change the status of tasks, tell of those that ended, wake workers for those that wait; return how many."""
    rows = (await session.execute(statement.returning(TaskRow.id, TaskRow.kind, TaskRow.status, TaskRow.version))).all()
    for task_id, kind, status, version in rows:
        if status in FINAL_STATUSES:
            session.publish(TaskCompleted(aggregate_id=task_id, aggregate_version=version, kind=kind, status=status))
    if any(row.status == TaskStatus.QUEUED for row in rows):
        await session.execute(select(func.pg_notify(QUEUED_CHANNEL, "")))
    return len(rows)
