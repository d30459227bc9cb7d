"""HTTP routes of runs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response, status

from datamate.contracts.main.permissions import Permission
from datamate.contracts.paging import Page
from datamate.contracts.runtime.runs import ChangedRow, CreateRunRequest, DroppedRow, QuarantinedRow, Run
from datamate.core.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from datamate.platform.db import ReadSession, WriteSession
from datamate.platform.http.event_stream import LastEventId, event_stream
from datamate.platform.security import CurrentPrincipal, require_permission
from datamate.services.runtime.deps import Resources
from datamate.services.runtime.runs import rejected_rows, service

router = APIRouter(prefix="/runtime/runs", tags=["runs"])

RunId = Annotated[UUID, Path(description="Id of the run.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Most items on the page.")]


@router.post("", status_code=status.HTTP_201_CREATED, dependencies=[require_permission(Permission.RUN_WRITE)])
async def create_run(
    session: WriteSession, principal: CurrentPrincipal, resources: Resources, body: CreateRunRequest
) -> Run:
    """Run a recipe over a dataset version; the result becomes a new version of the output dataset."""
    return await service.create_run(session, resources, principal, body)


@router.get("", dependencies=[require_permission(Permission.RUN_READ)])
async def list_runs(
    session: ReadSession,
    principal: CurrentPrincipal,
    dataset_id: Annotated[str | None, Query(max_length=50, description="Only runs that read or write it.")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
) -> Page[Run]:
    """List one's own runs, newest first; administrators see everybody's."""
    return await service.list_runs(session, principal, dataset_id=dataset_id, cursor=cursor, limit=limit)


@router.get("/{run_id}", dependencies=[require_permission(Permission.RUN_READ)])
async def get_run(session: ReadSession, principal: CurrentPrincipal, run_id: RunId) -> Run:
    """Return a run; once it has ended, with its account or its error."""
    return await service.get_run(session, principal, str(run_id))


@router.post("/{run_id}/cancel", dependencies=[require_permission(Permission.RUN_WRITE)])
async def cancel_run(session: WriteSession, principal: CurrentPrincipal, run_id: RunId) -> Run:
    """Ask a run to stop and return it as it then is; one that has ended stays as it is."""
    return await service.cancel_run(session, principal, str(run_id))


@router.get(
    "/{run_id}/events",
    dependencies=[require_permission(Permission.RUN_READ)],
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "The run, now and at every change."},
        204: {"description": "The run has ended and the reader saw its last change: do not connect again."},
    },
)
async def follow_run(
    session: ReadSession,
    principal: CurrentPrincipal,
    resources: Resources,
    run_id: RunId,
    last_event_id: LastEventId = None,
) -> Response:
    """Stream a run as server-sent events named `run`, now and at every change, until it has ended."""
    run = await service.get_run(session, principal, str(run_id))
    seen = int(last_event_id) if last_event_id is not None and last_event_id.isdecimal() else 0
    if service.has_ended(run) and run.revision <= seen:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    return event_stream(service.follow_run(resources.database, run, after_revision=seen))


@router.get("/{run_id}/samples", dependencies=[require_permission(Permission.RUN_READ)])
async def list_samples(session: ReadSession, principal: CurrentPrincipal, run_id: RunId) -> Page[ChangedRow]:
    """List rows before and after an operator changed them, the first few of each operator."""
    return await service.samples(session, principal, str(run_id))


@router.get("/{run_id}/quarantine", dependencies=[require_permission(Permission.RUN_READ)])
async def list_quarantined(  # noqa: PLR0913 - a route has this many sources
    session: ReadSession,
    principal: CurrentPrincipal,
    *,
    resources: Resources,
    run_id: RunId,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
) -> Page[QuarantinedRow]:
    """List the rows that could not be processed, in source order, each with the error and as it was."""
    run = await service.get_run(session, principal, str(run_id))
    return await rejected_rows.list_quarantined(resources.store, run, cursor=cursor, limit=limit)


@router.get("/{run_id}/dropped", dependencies=[require_permission(Permission.RUN_READ)])
async def list_dropped(  # noqa: PLR0913 - a route has this many sources
    session: ReadSession,
    principal: CurrentPrincipal,
    *,
    resources: Resources,
    run_id: RunId,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
) -> Page[DroppedRow]:
    """List the rows that operators removed, in source order, each with the metric that decided."""
    run = await service.get_run(session, principal, str(run_id))
    return await rejected_rows.list_dropped(resources.store, run, cursor=cursor, limit=limit)
