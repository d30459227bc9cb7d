"""Leaves out the rows that the deduplicator of the stage before found."""

import polars as pl

from datamate.engine.accounting import OperatorCounts, PartitionCounts
from datamate.engine.dedup import PassedRows, read_duplicates
from datamate.engine.job import AttemptFiles, Job, TransformTask
from datamate.engine.ledger import DUPLICATE_METRIC, Ledger
from datamate.engine.line_ranges import LineRanges

_ROWS_PER_RANGE = 16
"""Ranges that are shorter on average cost more than writing the rows again."""


def repeated_rows(job: Job, task: TransformTask) -> pl.Series:
    """Return which rows of the stage before repeat an earlier key, ascending."""
    paths = [AttemptFiles(job.parts, base).duplicates for base in task.duplicates]
    return read_duplicates(paths, task.partition.index).sort()


def drop_repeated(job: Job, task: TransformTask, ledger: Ledger, ordinals: pl.Series) -> OperatorCounts:
    """Record rows as dropped by the deduplicator of the stage before."""
    label = job.plan.stages[task.stage - 1].operators[-1].label
    ledger.drop(ordinals, label, DUPLICATE_METRIC)
    return OperatorCounts(label, dropped=len(ordinals))


def select_by_reference(job: Job, task: TransformTask) -> PartitionCounts | None:
    """Finish a task that only leaves out rows, by naming the lines that stay instead of writing them again.

    Returns:
        What became of the rows; None if the task does more than that, or so many rows go that ranges do not pay.
    """
    only_leaves_out = task.source is not None and not job.plan.stages[task.stage].operators
    if task.source is None or not (only_leaves_out and job.is_last(task.stage) and job.as_lines and not job.has_tables):
        return None
    source, files = AttemptFiles(job.parts, task.source), job.files_of(task)
    passed, repeated = PassedRows.read(source.keys), repeated_rows(job, task)
    if len(repeated) * _ROWS_PER_RANGE > len(passed.ordinals):
        return None
    ledger = Ledger(job.files, task.partition, files.quarantine)
    dropped = drop_repeated(job, task, ledger, passed.ordinals[repeated])
    stays = pl.Series([True]).new_from_index(0, len(passed.ordinals)).scatter(repeated, False)
    ledger.keep(passed.ordinals.filter(stays))
    ledger.write(files.fates)
    ranges = LineRanges.without(task.source, passed.row_bytes, repeated.to_list())
    ranges.write(files.ranges)
    return PartitionCounts(
        rows_in=len(passed.ordinals),
        rows_out=len(passed.ordinals) - len(repeated),
        dropped=len(repeated),
        bytes_in=sum(passed.row_bytes),
        bytes_out=ranges.size_bytes,
        operators=(dropped,),
    )
