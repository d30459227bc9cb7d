"""Runs the engine, which blocks, beside the event loop of a task, and stops it when the task is to stop."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from datamate.contracts.main.tasks import TaskProgress
from datamate.engine.accounting import RunSummary
from datamate.engine.checkpoints import CheckpointStore
from datamate.engine.coordinator import RunProgress, Watch
from datamate.engine.errors import FenceLostError, RunCancelledError
from datamate.engine.inputs import InputFile
from datamate.engine.recipe_model import Recipe
from datamate.engine.run import RunOptions, run_recipe
from datamate.platform.tasks import TaskCancelledError, TaskContext, TaskFencedError
from datamate.services.runtime.deps import RuntimeResources


async def run_in_thread(
    ctx: TaskContext[RuntimeResources],
    recipe: Recipe,
    files: tuple[InputFile, ...],
    open_store: Callable[[Path], CheckpointStore],
) -> RunSummary:
    """Run a recipe, report its progress to the task, and return the account.

    Args:
        ctx: The attempt at the run's task.
        recipe: What to run; its `export_path` lies in the folder of this claim.
        files: The input.
        open_store: Makes the checkpoint store, given the engine's folder.

    Raises:
        TaskCancelledError: Someone asked to cancel.
        TaskFencedError: Another worker has taken the task over.
        DatamateError: Whatever else the engine says is wrong.
    """
    abandoned = threading.Event()

    def is_cancelled() -> bool:
        return abandoned.is_set() or ctx.cancelled.is_set()

    watch = Watch(on_progress=lambda progress: ctx.report(_task_progress(progress)), is_cancelled=is_cancelled)
    options = RunOptions(files=files, overwrite=True, watch=watch, open_store=open_store)
    thread = asyncio.ensure_future(asyncio.to_thread(run_recipe, recipe, options))
    try:
        return await asyncio.shield(thread)
    except RunCancelledError as error:
        raise TaskCancelledError from error
    except FenceLostError as error:
        raise TaskFencedError from error
    finally:
        # A cancelled task must not leave its engine running: a thread ends only by itself.
        abandoned.set()
        await asyncio.wait({thread})


def _task_progress(progress: RunProgress) -> TaskProgress:
    stage = f"stage {progress.stage + 1} of {progress.stages}"
    partitions = f"{progress.partitions_done} of {progress.partitions} partitions"
    return TaskProgress(
        done=progress.bytes,
        total=max(progress.bytes_total, progress.bytes),
        unit="bytes",
        message=f"{stage}: {partitions}, {progress.rows:,} rows read",
    )
