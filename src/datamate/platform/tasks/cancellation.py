"""Asking for the end of a task."""

from sqlalchemy import func, select

from datamate.contracts.main.events import TaskCompleted
from datamate.contracts.main.tasks import Task, TaskStatus
from datamate.platform.db.session import Session
from datamate.platform.tasks.channels import CANCEL_CHANNEL
from datamate.platform.tasks.errors import TaskNotFoundError
from datamate.platform.tasks.models import TaskRow, as_task
from datamate.platform.tasks.queries import checked_id


async def request_cancel(session: Session, task_id: str) -> Task:
    """Cancel a queued task at once, ask the worker of a running one to stop, leave a finished one alone.

    Returns:
        The task as it now is.

    Raises:
        TaskNotFoundError: No task has this id.
    """
    row = await session.get(TaskRow, checked_id(task_id), with_for_update=True)
    if row is None:
        raise TaskNotFoundError(f"There is no task {task_id}.")
    if row.status == TaskStatus.QUEUED:
        await _end(session, row)
    elif row.status == TaskStatus.RUNNING:
        row.status = TaskStatus.CANCELLING
        row.version += 1
        await session.execute(select(func.pg_notify(CANCEL_CHANNEL, row.id)))
    return as_task(row)


async def _end(session: Session, row: TaskRow) -> None:
    row.status = TaskStatus.CANCELLED
    row.version += 1
    row.finished_at = await session.scalar(select(func.now()))
    session.publish(TaskCompleted(aggregate_id=row.id, aggregate_version=row.version, kind=row.kind, status=row.status))
