"""Takes one partition through one stage: reads, runs the operators, writes what is left and the fate of the rest."""

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from datamate.engine.accounting import READER, ChangedRow, OperatorCounts, PartitionCounts
from datamate.engine.dedup import PassedRows
from datamate.engine.errors import BadRowError
from datamate.engine.formats.batch import Batch
from datamate.engine.formats.parts import read_part
from datamate.engine.formats.readers import read_partition
from datamate.engine.formats.writers import PartWriter, open_part
from datamate.engine.job import AttemptFiles, Job, TransformTask
from datamate.engine.ledger import Ledger, Quarantined
from datamate.engine.recipe_model import OnError
from datamate.engine.selection import drop_repeated, repeated_rows, select_by_reference
from datamate.engine.stage import StageOutcome, StageRunner
from datamate.operators.base import Operator, Params

Report = Callable[[int, int], None]
"""Told of the rows and the bytes read since the last call."""


def transform(job: Job, task: TransformTask, operators: Sequence[Operator[Params]], report: Report) -> PartitionCounts:
    """Run a task and leave its files; nothing counts until the coordinator commits them.

    Args:
        job: The run.
        task: The partition and the stage.
        operators: The operators of the stage, in order.
        report: Called after each batch.

    Raises:
        UnreadableInputError: The partition's file is gone or broken.
        StorageFullError: No space is left.
        BadRowError: A row cannot be processed, and the recipe says to fail then.
    """
    return select_by_reference(job, task) or _Transform(job, task, operators).run(report)


class _Transform:
    """The state of one task, all of it small beside the rows."""

    def __init__(self, job: Job, task: TransformTask, operators: Sequence[Operator[Params]]) -> None:
        self._job, self._task = job, task
        self._files = job.files_of(task)
        self._runner = StageRunner(operators, [operator.label for operator in job.plan.stages[task.stage].operators])
        self._files.quarantine.unlink(missing_ok=True)
        self._ledger = Ledger(job.files, task.partition, self._files.quarantine)
        self._ordinals = [pl.Series(dtype=pl.UInt64)]
        self._keys: list[pl.Series] = []
        self._samples: list[ChangedRow] = []
        self._rows_in = self._quarantined = self._bytes_in = 0
        self._removed: list[OperatorCounts] = []

    def run(self, report: Report) -> PartitionCounts:
        path = self._files.lines if self._job.writes_lines(self._task.stage) else self._files.table
        with open_part(path) as output:
            for batch in self._read():
                self._rows_in += batch.rows_in
                self._bytes_in += batch.bytes_read
                outcome = self._runner.run(batch.texts, len(batch.rows))
                self._account(batch, outcome)
                output.write(batch.rows, outcome.kept_mask(len(batch.rows)), outcome.new_texts(batch.texts))
                report(batch.rows_in, batch.bytes_read)
        return self._finish(output)

    def _read(self) -> Iterator[Batch]:
        columns = self._job.plan.columns
        if self._task.source is None:
            yield from read_partition(
                self._job.files, self._task.partition, columns, text_column=self._job.recipe.text_key
            )
            return
        ordinals = PassedRows.read(AttemptFiles(self._job.parts, self._task.source).keys).ordinals
        repeated = repeated_rows(self._job, self._task)
        self._rows_in += len(repeated)
        self._removed.append(drop_repeated(self._job, self._task, self._ledger, ordinals[repeated]))
        # Without an operator that reads them, texts need not be taken out of the rows.
        wanted = columns if self._job.plan.stages[self._task.stage].operators else ()
        yield from read_part(AttemptFiles(self._job.parts, self._task.source), wanted, ordinals, repeated)

    def _account(self, batch: Batch, outcome: StageOutcome) -> None:
        ordinals = batch.ordinals[outcome.rows]
        if self._job.is_last(self._task.stage):
            self._ledger.keep(ordinals)
        self._ordinals.append(ordinals)
        if outcome.keys is not None:
            self._keys.append(outcome.keys)
        for dropped in outcome.dropped:
            self._ledger.drop(batch.ordinals[dropped.rows], dropped.operator, dropped.metric, dropped.values)
        for change in outcome.changes:
            source, ordinal = self._ledger.place(batch.ordinals[change.row])
            self._samples.append(ChangedRow(change.operator, source, ordinal, change.before, change.after))
        self._quarantine(batch, outcome)

    def _quarantine(self, batch: Batch, outcome: StageOutcome) -> None:
        rows = [Quarantined(bad.ordinal, READER, bad.code, bad.message, bad.raw) for bad in batch.bad]
        originals = self._originals(batch, [failed.row for failed in outcome.failed])
        rows += [
            Quarantined(batch.ordinals[failed.row], failed.operator, failed.code, failed.message, original)
            for failed, original in zip(outcome.failed, originals, strict=True)
        ]
        if not rows:
            return
        policy = self._job.recipe.on_error
        if policy is OnError.FAIL:
            source, ordinal = self._ledger.place(rows[0].ordinal)
            raise BadRowError(
                f"Row {ordinal} of {source} failed in {rows[0].operator}: {rows[0].message}. "
                "Mend the row, or set on_error: quarantine to go on without it.",
                code=rows[0].code,
            )
        self._quarantined += len(rows)
        self._ledger.quarantine(rows, with_raw=policy is OnError.QUARANTINE)

    def _originals(self, batch: Batch, rows: Sequence[int]) -> list[bytes]:
        """Return rows as the input has them, which after the first stage needs another look at the input."""
        if self._task.source is None or not rows:
            return [batch.rows.raw(row) for row in rows]
        wanted = {batch.ordinals[row]: b"" for row in rows}
        job = self._job
        for source in read_partition(
            job.files, self._task.partition, job.plan.columns, text_column=job.recipe.text_key
        ):
            for place, ordinal in enumerate(source.ordinals.to_list()):
                if ordinal in wanted:
                    wanted[ordinal] = source.rows.raw(place)
        return list(wanted.values())

    def _finish(self, output: PartWriter) -> PartitionCounts:
        ordinals = pl.concat(self._ordinals)
        if not self._job.is_last(self._task.stage):
            keys = pl.concat(self._keys) if self._keys else None
            PassedRows(ordinals, keys, output.row_bytes).write(self._files.keys)
        self._ledger.write(self._files.fates)
        operators = (*self._removed, *self._runner.counts)
        return PartitionCounts(
            rows_in=self._rows_in,
            rows_out=len(ordinals),
            dropped=sum(counts.dropped for counts in operators),
            quarantined=self._quarantined,
            bytes_in=self._bytes_in,
            bytes_out=output.size_bytes,
            operators=operators,
            samples=tuple(self._samples),
        )
