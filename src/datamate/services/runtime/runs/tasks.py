"""The task that carries out a run: read the version, run the engine, publish the result, keep the account.

It may be killed at any line and start again on another worker. Partitions that are committed are not repeated; the
result is published under the run's id, so that a second publish finds the first; the account is written last.
"""

import asyncio
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from datamate.config.root import Settings
from datamate.contracts.data_management.files import LineageInput, PublishVersionRequest
from datamate.contracts.main.tasks import TaskProgress
from datamate.contracts.runtime.runs import Run, RunSummary
from datamate.engine import accounting
from datamate.engine.recipe import parse_recipe
from datamate.engine.recipe_model import Recipe
from datamate.platform.tasks import TaskContext, task
from datamate.services.runtime.deps import RuntimeResources
from datamate.services.runtime.runs import service
from datamate.services.runtime.runs.checkpoints import TaskCheckpointStore
from datamate.services.runtime.runs.engine_thread import run_in_thread
from datamate.services.runtime.runs.inputs import fetch_inputs
from datamate.services.runtime.runs.kinds import RUN_TASK, RunPayload
from datamate.services.runtime.runs.outputs import discard_parts, store_outputs

_RESULT_NAME: Final = "data"


@task(RUN_TASK)
async def run(ctx: TaskContext[RuntimeResources], payload: RunPayload) -> RunSummary:
    """Carry out a run and return its account."""
    resources = ctx.resources
    async with ctx.transaction() as session:
        wanted = await service.get_run_of_task(session, payload.run_id)
    if wanted.summary is not None:
        return wanted.summary
    scratch = scratch_folder(resources.settings)
    await _sweep(ctx, scratch)
    folder = scratch / wanted.id / str(ctx.fence)
    inputs = folder / "inputs"
    await asyncio.to_thread(partial(inputs.mkdir, parents=True, exist_ok=True))
    try:
        summary = await _carry_out(ctx, wanted, folder)
    finally:
        # Part files stay for the next claim; the copies of the input do not.
        await asyncio.to_thread(partial(shutil.rmtree, inputs, ignore_errors=True))
    await asyncio.to_thread(partial(shutil.rmtree, folder.parent, ignore_errors=True))
    await discard_parts(resources.store, wanted.id)
    return summary


async def _sweep(ctx: TaskContext[RuntimeResources], scratch: Path) -> None:
    """Remove what runs left in the scratch folder that ended otherwise than by success."""
    left = await asyncio.to_thread(lambda: {path.name: path for path in scratch.glob("*")})
    async with ctx.transaction() as session:
        ended = await service.ended_among(session, left)
    for run_id in ended:
        await asyncio.to_thread(partial(shutil.rmtree, left[run_id], ignore_errors=True))


async def _carry_out(ctx: TaskContext[RuntimeResources], wanted: Run, folder: Path) -> RunSummary:
    resources = ctx.resources
    principal = await resources.principal_of(ctx.created_by)
    client = resources.data_management(principal)
    ctx.report(TaskProgress(done=0, unit="bytes", message="reading the list of files"))
    files = await fetch_inputs(
        client, resources.store, dataset_id=wanted.dataset_id, version=wanted.version, folder=folder / "inputs"
    )
    recipe = _recipe_of(wanted, resources.settings, folder)
    loop = asyncio.get_running_loop()
    account = await run_in_thread(
        ctx, recipe, files, lambda details: TaskCheckpointStore(ctx, wanted.id, details / "parts", loop)
    )
    ctx.check_cancelled()
    ctx.report(TaskProgress(done=account.bytes_in, total=account.bytes_in, unit="bytes", message="publishing"))
    staged = await store_outputs(
        resources.store.location, account, run_id=wanted.id, fence=ctx.fence, name=_RESULT_NAME
    )
    version = await client.publish_version(
        wanted.output_dataset_id,
        PublishVersionRequest(
            source_run_id=wanted.id,
            files=[staged],
            inputs=[LineageInput(dataset_id=wanted.dataset_id, version=wanted.version)],
            message=f"{recipe.project_name}: {account.kept:,} of {account.rows_in:,} rows kept",
        ),
    )
    summary = as_wire(account)
    async with ctx.transaction() as session:
        await service.finish_run(session, wanted.id, output_version=version.version, summary=summary)
    return summary


def scratch_folder(settings: Settings) -> Path:
    """Return where runs keep their part files while they work.

    Beside a folder store it lies on the same disk and outlives the worker; with a bucket, what is committed is also
    in the bucket, and the folder may be lost.
    """
    if settings.worker.scratch is not None:
        return Path(settings.worker.scratch)
    if settings.storage.url is None or settings.storage.url.startswith("file:"):
        return settings.home_folder / "scratch" / "runs"
    return Path(tempfile.gettempdir()) / "datamate-runs"


def as_wire(account: accounting.RunSummary) -> RunSummary:
    """Return the engine's account as services show it: without paths and figures of the machine."""
    return RunSummary.model_validate(account.to_json())


def _recipe_of(wanted: Run, settings: Settings, folder: Path) -> Recipe:
    """Return the recipe with the places of this claim in place of its own."""
    recipe = parse_recipe(wanted.recipe)
    export_path = str(folder / f"result.{wanted.output_format}")
    processes = settings.worker.engine_processes
    return replace(recipe, dataset_path=None, export_path=export_path, np=min(recipe.np or processes, processes))
