"""HTTP routes of tasks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response, status

from datamate.contracts.main.permissions import Permission
from datamate.contracts.main.tasks import FINAL_STATUSES, Task, TaskStatus
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from datamate.platform.db import ReadSession, WriteSession
from datamate.platform.http.event_stream import LastEventId, event_stream
from datamate.platform.security import CurrentPrincipal, require_permission
from datamate.services.main.deps import Resources
from datamate.services.main.tasks import service

router = APIRouter(prefix="/tasks", tags=["tasks"])

TaskId = Annotated[UUID, Path(description="Id of the task.")]
Kind = Annotated[str | None, Query(max_length=100, pattern=r"^[a-z0-9_.-]+$", description="Only tasks of this kind.")]


@router.get("", dependencies=[require_permission(Permission.TASK_READ)])
async def list_tasks(  # noqa: PLR0913 - the query parameters of a list
    session: ReadSession,
    principal: CurrentPrincipal,
    *,
    task_status: Annotated[TaskStatus | None, Query(alias="status", description="Only tasks in this state.")] = None,
    kind: Kind = None,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Most items on the page.")] = DEFAULT_PAGE_SIZE,
) -> Page[Task]:
    """List one's own tasks, newest first; administrators see everybody's."""
    return await service.list_tasks(session, principal, status=task_status, kind=kind, cursor=cursor, limit=limit)


@router.get("/{task_id}", dependencies=[require_permission(Permission.TASK_READ)])
async def get_task(session: ReadSession, principal: CurrentPrincipal, task_id: TaskId) -> Task:
    """Return a task."""
    return await service.get_task(session, principal, str(task_id))


@router.post("/{task_id}/cancel", dependencies=[require_permission(Permission.TASK_WRITE)])
async def cancel_task(session: WriteSession, principal: CurrentPrincipal, task_id: TaskId) -> Task:
    """Ask a task to end and return it as it then is; a task that has ended stays as it is."""
    return await service.cancel_task(session, principal, str(task_id))


@router.get(
    "/{task_id}/events",
    dependencies=[require_permission(Permission.TASK_READ)],
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "The task, now and at every change."},
        204: {"description": "The task has ended and the reader saw its last change: do not connect again."},
    },
)
async def follow_task(
    session: ReadSession,
    principal: CurrentPrincipal,
    resources: Resources,
    task_id: TaskId,
    last_event_id: LastEventId = None,
) -> Response:
    """Stream a task as server-sent events named `task`, now and at every change, until it has ended."""
    task = await service.get_task(session, principal, str(task_id))
    seen = _seen_version(last_event_id)
    if task.status in FINAL_STATUSES and task.version <= seen:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    return event_stream(service.follow_task(resources.database, task.id, after_version=seen))


def _seen_version(last_event_id: str | None) -> int:
    """Return the version a reader saw last; 0, which starts over, for an id that is none of ours."""
    return int(last_event_id) if last_event_id is not None and last_event_id.isdecimal() else 0
