"""Creates runs, shows them to those they belong to, follows and cancels them."""

from collections.abc import AsyncIterator, Collection
from typing import Final

from datamate.contracts.data_management.datasets import CreateDatasetRequest
from datamate.contracts.main.permissions import Permission
from datamate.contracts.paging import Page
from datamate.contracts.runtime.events import RunCompleted
from datamate.contracts.runtime.runs import ChangedRow, CreateRunRequest, Run, RunSummary
from datamate.core.errors import FieldError, InvalidInputError
from datamate.core.ids import new_id
from datamate.core.paging import decode_cursor, encode_cursor
from datamate.platform import tasks
from datamate.platform.db import Database, Session
from datamate.platform.http.event_stream import ServerEvent
from datamate.platform.security import Principal
from datamate.services.runtime.deps import RuntimeResources
from datamate.services.runtime.runs import repository
from datamate.services.runtime.runs.errors import EmptyDatasetError, RunNotFinishedError, RunNotFoundError
from datamate.services.runtime.runs.kinds import RUN_TASK, RunPayload
from datamate.services.runtime.runs.models import RunRow
from datamate.services.runtime.runs.repository import RunFilter

_WAIT_SECONDS: Final = 30.0


async def create_run(
    session: Session, resources: RuntimeResources, principal: Principal, request: CreateRunRequest
) -> Run:
    """Check a run as far as it can be without reading data, store it, and queue its task, in one transaction.

    Raises:
        InvalidInputError: The recipe is not valid, or the output is named twice.
        EmptyDatasetError: The dataset has no version to read.
        NotFoundError: There is no such dataset or version.
    """
    check_recipe(request.recipe)
    if request.output_dataset_id is not None and request.output_name is not None:
        message = "give either output_dataset_id or output_name, not both"
        raise InvalidInputError(f"output_name: {message}.", errors=[FieldError("output_name", message)])
    version = await _version_to_read(resources, principal, request)
    output = await _output_dataset(resources, principal, request)
    run_id = new_id()
    task_id = await tasks.enqueue(session, RUN_TASK, RunPayload(run_id=run_id), created_by=principal.user_id)
    row = RunRow(
        id=run_id,
        task_id=task_id,
        recipe=request.recipe,
        dataset_id=request.dataset_id,
        version=version,
        output_dataset_id=output,
        output_format=request.output_format,
        created_by=principal.user_id,
    )
    repository.add(session, row)
    await session.flush()  # the answer is read back in this transaction, with the times the database sets
    return await _existing(session, run_id)


async def list_runs(
    session: Session, principal: Principal, *, dataset_id: str | None, cursor: str | None, limit: int
) -> Page[Run]:
    """Return a page of the runs that the caller may see, newest first."""
    owner = None if _sees_all(principal) else principal.user_id
    before = decode_cursor(cursor, kinds=(str,))
    before_id = None if before is None else str(before[0])
    if before_id is not None and not repository.is_run_id(before_id):
        raise InvalidInputError(
            "The cursor is not valid.", errors=[FieldError("cursor", "not a cursor of this list; leave it out")]
        )
    wanted = RunFilter(created_by=owner, dataset_id=dataset_id)
    found = await repository.list_page(session, wanted, before_id=before_id, limit=limit + 1)
    items = found[:limit]
    return Page(items=items, next_cursor=encode_cursor((items[-1].id,)) if len(found) > limit else None)


async def get_run(session: Session, principal: Principal, run_id: str) -> Run:
    """Return a run.

    Raises:
        RunNotFoundError: There is none, or it is not the caller's; the answer does not tell which.
    """
    run = await _existing(session, run_id)
    if not _sees_all(principal) and run.created_by != principal.user_id:
        raise RunNotFoundError(f"There is no run {run_id}.")
    return run


async def cancel_run(session: Session, principal: Principal, run_id: str) -> Run:
    """Ask a run to stop and return it as it then is; a run that has ended stays as it is.

    Raises:
        RunNotFoundError: There is none, or it is not the caller's.
    """
    run = await get_run(session, principal, run_id)
    await tasks.request_cancel(session, run.task_id)
    return await _existing(session, run_id)


async def follow_run(database: Database, run: Run, *, after_revision: int) -> AsyncIterator[ServerEvent]:
    """Yield a run whenever its revision is past `after_revision`, until it has ended."""
    ended = False
    while not ended:
        changed = await tasks.wait_for_change(
            database, run.task_id, after_version=after_revision, timeout_seconds=_WAIT_SECONDS
        )
        if changed is None:
            continue
        async with database.reader() as session:
            current = await _existing(session, run.id)
        yield ServerEvent(data=current, event="run", id=str(current.revision))
        ended, after_revision = has_ended(current), current.revision


async def samples(session: Session, principal: Principal, run_id: str) -> Page[ChangedRow]:
    """Return rows before and after an operator changed them, the first few of each operator.

    Raises:
        RunNotFinishedError: The run has no account yet.
    """
    run = await get_run(session, principal, run_id)
    if run.summary is None:
        raise RunNotFinishedError(f"Run {run_id} has no samples: it is {run.status.value}.")
    return Page(items=run.summary.samples, total=len(run.summary.samples))


async def get_run_of_task(session: Session, run_id: str) -> Run:
    """Return a run for its own task to work on.

    Raises:
        RunNotFoundError: There is none.
    """
    return await _existing(session, run_id)


async def finish_run(session: Session, run_id: str, *, output_version: int, summary: RunSummary) -> None:
    """Keep what came of a run."""
    await repository.finish(session, run_id, output_version=output_version, summary=summary.model_dump(mode="json"))


async def ended_among(session: Session, run_ids: Collection[str]) -> frozenset[str]:
    """Return those of the runs that have ended, or that do not exist."""
    return await repository.ended_among(session, [run_id for run_id in run_ids if repository.is_run_id(run_id)])


async def announce_end(session: Session, task_id: str, *, status: str, task_version: int) -> None:
    """Tell those who listen that a run reached its end, however it ended."""
    run = await repository.find_by_task(session, task_id)
    if run is not None:
        session.publish(
            RunCompleted(
                aggregate_id=run.id,
                aggregate_version=task_version,
                status=status,
                output_dataset_id=run.output_dataset_id,
                output_version=run.output_version,
            )
        )


def has_ended(run: Run) -> bool:
    """Return whether a run will not change any more."""
    return run.finished_at is not None


def check_recipe(text: str) -> None:
    """Refuse a recipe whose form, operators or parameters are wrong.

    Raises:
        InvalidInputError: It is not valid; `errors` names each place.
    """
    # The planner brings Polars, which takes a third of a second to import; a server that runs nothing need not wait.
    from datamate.engine.planner import build_operators
    from datamate.engine.recipe import parse_recipe

    build_operators(parse_recipe(text))


async def _version_to_read(resources: RuntimeResources, principal: Principal, request: CreateRunRequest) -> int:
    client = resources.data_management(principal)
    if request.version is not None:
        return (await client.get_version(request.dataset_id, request.version)).version
    dataset = await client.get_dataset(request.dataset_id)
    if dataset.version == 0:
        raise EmptyDatasetError(f"The dataset {dataset.name!r} has no version yet: upload files first.")
    return dataset.version


async def _output_dataset(resources: RuntimeResources, principal: Principal, request: CreateRunRequest) -> str:
    client = resources.data_management(principal)
    if request.output_name is not None:
        return (await client.create_dataset(CreateDatasetRequest(name=request.output_name))).id
    if request.output_dataset_id is not None:
        return (await client.get_dataset(request.output_dataset_id)).id
    return request.dataset_id


async def _existing(session: Session, run_id: str) -> Run:
    run = await repository.find(session, run_id) if repository.is_run_id(run_id) else None
    if run is None:
        raise RunNotFoundError(f"There is no run {run_id}.")
    return run


def _sees_all(principal: Principal) -> bool:
    return principal.may(Permission.TASK_MANAGE)
