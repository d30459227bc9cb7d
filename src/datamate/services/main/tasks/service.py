"""Shows tasks to those they belong to, cancels them, and follows them."""

from collections.abc import AsyncIterator
from typing import Final

from datamate.contracts.main.permissions import Permission
from datamate.contracts.main.tasks import FINAL_STATUSES, Task, TaskStatus
from datamate.contracts.paging import Page
from datamate.platform import tasks
from datamate.platform.db import Database, Session
from datamate.platform.http.event_stream import ServerEvent
from datamate.platform.security import Principal
from datamate.platform.tasks import TaskFilter, TaskNotFoundError

_WAIT_SECONDS: Final = 30.0


async def list_tasks(  # noqa: PLR0913 - a list has this many filters
    session: Session,
    principal: Principal,
    *,
    status: TaskStatus | None,
    kind: str | None,
    cursor: str | None,
    limit: int,
) -> Page[Task]:
    """Return a page of the tasks that the caller may see, newest first."""
    owner = None if _sees_all(principal) else principal.user_id
    wanted = TaskFilter(created_by=owner, status=status, kind=kind)
    return await tasks.list_tasks(session, wanted, cursor=cursor, limit=limit)


async def get_task(session: Session, principal: Principal, task_id: str) -> Task:
    """Return a task.

    Raises:
        TaskNotFoundError: There is none, or it is not the caller's; the answer does not tell which.
    """
    task = await tasks.get_task(session, task_id)
    if not _sees_all(principal) and task.created_by != principal.user_id:
        raise TaskNotFoundError(f"There is no task {task_id}.")
    return task


async def cancel_task(session: Session, principal: Principal, task_id: str) -> Task:
    """Ask a task to end and return it as it then is; a task that has ended stays as it is.

    Raises:
        TaskNotFoundError: There is none, or it is not the caller's.
    """
    await get_task(session, principal, task_id)
    return await tasks.request_cancel(session, task_id)


async def follow_task(database: Database, task_id: str, *, after_version: int) -> AsyncIterator[ServerEvent]:
    """Yield the task whenever its version is past `after_version`, until it has ended.

    Whether the caller may see it was checked before: a task never changes hands.
    """
    while True:
        task = await tasks.wait_for_change(
            database, task_id, after_version=after_version, timeout_seconds=_WAIT_SECONDS
        )
        if task is None:
            continue
        yield ServerEvent(data=task, event="task", id=str(task.version))
        if task.status in FINAL_STATUSES:
            return
        after_version = task.version


def _sees_all(principal: Principal) -> bool:
    return principal.may(Permission.TASK_MANAGE)
