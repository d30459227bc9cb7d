"""Runs a recipe from beginning to end on this machine; needs no server."""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from datamate.core.errors import FieldError
from datamate.core.ids import new_id
from datamate.engine.accounting import RunSummary
from datamate.engine.checkpoints import CheckpointStore, FileCheckpointStore
from datamate.engine.coordinator import Coordinator, Watch
from datamate.engine.errors import WorkerFailedError
from datamate.engine.inputs import InputFile, check_inputs, discover_inputs, input_identity
from datamate.engine.job import Job, ParquetTask, PlanTask
from datamate.engine.lines_output import LinesOutput
from datamate.engine.local.launch import HostProcess
from datamate.engine.local.pool import WorkerPool
from datamate.engine.partitions import Partition, partitions_digest, plan_partitions
from datamate.engine.plan import Plan
from datamate.engine.recipe_model import Recipe, raise_problems
from datamate.engine.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a recipe is run.

    Attributes:
        files: The input, in place of the recipe's `dataset_path`; an empty tuple gives an empty output.
        overwrite: Replace an output that exists, and start over where a run is unfinished.
        resume: Go on with an unfinished run; if there is none, start one.
        partition_bytes: The size of partitions aimed at; None chooses by the size of the input.
        watch: Follows and stops the run.
        open_store: Makes the checkpoint store, given the folder of the run.
    """

    files: tuple[InputFile, ...] | None = None
    overwrite: bool = False
    resume: bool = False
    partition_bytes: int | None = None
    watch: Watch = field(default_factory=Watch)
    open_store: Callable[[Path], CheckpointStore] = FileCheckpointStore


def run_recipe(
    recipe: Recipe,
    options: RunOptions | None = None,
    *,
    host: HostProcess | None = None,
    pool: WorkerPool | None = None,
) -> RunSummary:
    """Run a recipe and return the account of its rows.

    Blocks until the run is done, so call it from a thread where there is an event loop.

    Args:
        recipe: What to run, with an `export_path`, and a `dataset_path` unless the options bring the files.
        options: How.
        host: The process that workers are forked from, if it was started ahead; it ends with the run.
        pool: Worker processes that outlive the run; None starts some for it.

    Raises:
        RecipeError: The recipe is not valid.
        UnreadableInputError: The input cannot be read.
        MissingColumnError: The input lacks a column that an operator reads.
        OutputNotWritableError: The output cannot be written.
        OutputExistsError: The output exists already.
        RunConflictError: An unfinished run, or one that still works, is in the way.
        StorageFullError: There is no space for the output.
        RunCancelledError: The watch stopped the run.
        WorkerCrashedError: A partition killed its worker process again and again.
        TooManyBadRowsError: More rows were quarantined than the recipe allows.
        BadRowError: A row cannot be processed, and the recipe says to fail then.
    """
    if pool is not None:
        return _run(recipe, options or RunOptions(), pool, on_computed=lambda: None)
    with WorkerPool(host) as own_pool:
        # The processes end while the output is published.
        return _run(recipe, options or RunOptions(), own_pool, on_computed=own_pool.release)


def preview_recipe(recipe: Recipe, options: RunOptions | None = None) -> tuple[Plan, tuple[Partition, ...]]:
    """Check a recipe, its input and its output, and return how it would run; writes nothing.

    Raises:
        DatamateError: As `run_recipe`.
    """
    # The planner imports Polars, which `run_recipe` leaves to the workers.
    from datamate.engine.planner import plan_recipe

    options = options or RunOptions()
    files, _ = _check(recipe, options)
    return plan_recipe(recipe, files), plan_partitions(files, target_bytes=options.partition_bytes)


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def _run(recipe: Recipe, options: RunOptions, pool: WorkerPool, *, on_computed: Callable[[], None]) -> RunSummary:
    files, workspace = _check(recipe, options)
    workspace.check_free(overwrite=options.overwrite, resume=options.resume)
    plan, partitions = _plan(recipe, files, pool, options)
    identity = input_identity(files)
    key = plan.key(input_identity=identity, output_format=workspace.output.suffix, on_error=recipe.on_error)
    finished = workspace.finished_summary(key) if options.resume else None
    if finished is not None:
        return finished
    workspace.open(resume=options.resume)
    partitions = workspace.fix_partitions(key, partitions)
    job = Job(recipe, files, plan, workspace.parts, workspace.as_lines, owner=new_id().rpartition("-")[2])
    pool.set_job(job)
    pool.grow_to(min(recipe.np or available_cores(), max(1, len(partitions))))
    store = options.open_store(workspace.folder)
    try:
        coordinator = Coordinator(job, partitions, pool, store, options.watch)
        # Commits are only worth something for the very same partitions.
        coordinator.resume(store.open(f"{key}-{partitions_digest(partitions)}"))
        _compute(coordinator, job, workspace)
        summary = _summarize(coordinator, job, workspace, pool, len(partitions))
        on_computed()
        workspace.publish(summary, coordinator.committed_files())
        return summary
    finally:
        store.close()


def _check(recipe: Recipe, options: RunOptions) -> tuple[tuple[InputFile, ...], Workspace]:
    """Return the input and the place of the output, once both are seen to be usable."""
    errors = []
    if recipe.dataset_path is None and options.files is None:
        errors.append(FieldError("dataset_path", "is missing; name a file or a folder"))
    if recipe.export_path is None:
        errors.append(FieldError("export_path", "is missing; name the output, ending with .jsonl or .parquet"))
    raise_problems(errors, "The recipe")
    workspace = Workspace(recipe.export_path or "")
    if options.files is None:
        files = discover_inputs(recipe.dataset_path or "")
        workspace.check(files, recipe.dataset_path)
    else:
        files = check_inputs(options.files, "The input") if options.files else ()
        workspace.check(files, None)
    return files, workspace


def _plan(
    recipe: Recipe, files: tuple[InputFile, ...], pool: WorkerPool, options: RunOptions
) -> tuple[Plan, tuple[Partition, ...]]:
    """Let a worker check the recipe, which needs all operators, while this process cuts the input."""
    pool.prepare(step.operator for step in recipe.steps)
    pool.grow_to(1)
    pool.submit(pool.workers[0], PlanTask(recipe, files))
    check = options.watch.check
    partitions = plan_partitions(files, target_bytes=options.partition_bytes, on_block=check)
    pool.grow_to(min(recipe.np or available_cores(), max(1, len(partitions))))
    plan = pool.wait_for_result(check)
    if not isinstance(plan, Plan):
        raise WorkerFailedError(f"A worker answered {plan} where a plan was asked for.")
    return plan, partitions


def _compute(coordinator: Coordinator, job: Job, workspace: Workspace) -> None:
    """Take all partitions through all stages, and leave the output whole under its hidden name."""
    output = LinesOutput(workspace.partial_output) if job.as_lines else None
    coordinator.run(output)
    if output is None:
        last = len(job.plan.stages) - 1
        coordinator.write_parquet(ParquetTask(coordinator.sources(last), workspace.partial_output))
    else:
        output.close()


def _summarize(
    coordinator: Coordinator, job: Job, workspace: Workspace, pool: WorkerPool, partitions: int
) -> RunSummary:
    totals = coordinator.totals
    operators = totals.operators([operator.label for operator in job.plan.operators])
    own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return RunSummary(
        rows_in=totals.rows(0, "rows_in"),
        kept=totals.rows(len(job.plan.stages) - 1, "rows_out"),
        dropped=totals.rows_of_all_stages("dropped"),
        quarantined=totals.rows_of_all_stages("quarantined"),
        dropped_by={operator.operator: operator.dropped for operator in operators if operator.dropped},
        bytes_in=sum(file.size_bytes for file in job.files),
        bytes_out=workspace.partial_output.stat().st_size,
        seconds=time.perf_counter() - pool.started,
        peak_memory_bytes=own_peak + sum(worker.peak_memory_bytes for worker in pool.workers),
        partitions=partitions,
        partitions_reused=coordinator.reused,
        workers_replaced=pool.replaced,
        operators=operators,
        samples=totals.samples(),
        export_path=str(workspace.output),
        details_path=str(workspace.folder),
    )
