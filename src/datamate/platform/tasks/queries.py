"""Reading tasks: one, a page, or the next change of one."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from datamate.contracts.main.tasks import Task, TaskStatus
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE, decode_cursor, encode_cursor
from datamate.platform.db.database import Database
from datamate.platform.db.session import Session
from datamate.platform.tasks.errors import TaskNotFoundError
from datamate.platform.tasks.models import TaskRow, as_task

CHANGE_POLL_SECONDS = 0.25


async def get_task(session: Session, task_id: str) -> Task:
    """Return a task.

    Raises:
        TaskNotFoundError: No task has this id.
    """
    row = await session.get(TaskRow, checked_id(task_id))
    if row is None:
        raise TaskNotFoundError(f"There is no task {task_id}.")
    return as_task(row)


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks to list.

    Attributes:
        created_by: Only those of this user; None for everybody's.
        status: Only those in this state.
        kind: Only those of this kind.
    """

    created_by: str | None = None
    status: TaskStatus | None = None
    kind: str | None = None


async def list_tasks(
    session: Session, wanted: TaskFilter, *, cursor: str | None = None, limit: int = DEFAULT_PAGE_SIZE
) -> Page[Task]:
    """Return a page of tasks, newest first.

    Args:
        session: Where to read.
        wanted: Which tasks.
        cursor: `next_cursor` of the page before.
        limit: Most tasks on the page.
    """
    query = select(TaskRow).order_by(TaskRow.id.desc()).limit(limit + 1)
    if wanted.created_by is not None:
        query = query.where(TaskRow.created_by == wanted.created_by)
    if wanted.status is not None:
        query = query.where(TaskRow.status == wanted.status)
    if wanted.kind is not None:
        query = query.where(TaskRow.kind == wanted.kind)
    after = decode_cursor(cursor, kinds=(str,))
    if after is not None:
        query = query.where(TaskRow.id < checked_id(str(after[0])))
    rows = (await session.scalars(query)).all()
    items = [as_task(row) for row in rows[:limit]]
    return Page(items=items, next_cursor=encode_cursor((items[-1].id,)) if len(rows) > limit else None)


async def wait_for_change(
    database: Database, task_id: str, *, after_version: int, timeout_seconds: float
) -> Task | None:
    """Return the task as soon as its version is past `after_version`, or None when the time is over.

    Raises:
        TaskNotFoundError: No task has this id.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        async with database.reader() as session:
            task = await get_task(session, task_id)
        if task.version > after_version:
            return task
        if time.monotonic() >= deadline:
            return None
        await asyncio.sleep(min(CHANGE_POLL_SECONDS, max(0.0, deadline - time.monotonic())))


def checked_id(task_id: str) -> str:
    """Return the id, or raise `TaskNotFoundError` for text that is no id at all."""
    try:
        return str(UUID(task_id))
    except ValueError:
        raise TaskNotFoundError(f"There is no task {task_id!r}.") from None
