"""Runs the operators of one stage over a batch of texts, and says what became of each row.

Only methods of Series that Polars does directly are used here: the others, and all of DataFrame's verbs, run a query of
their own (40 µs and two changes of thread), which ten operators with a few calls each make felt.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from datamate.engine.accounting import SAMPLES_PER_OPERATOR, OperatorCounts, excerpts
from datamate.engine.formats.batch import NewTexts
from datamate.operators.base import Filter, FilterParams, Operator, OperatorKind, Params
from datamate.operators.evaluation import evaluate


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows that one operator removed.

    Attributes:
        operator: Its label.
        metric: What it judged them by.
        rows: Their places in the batch.
        values: The metric of each.
    """

    operator: str
    metric: str
    rows: pl.Series
    values: pl.Series


@dataclass(frozen=True, slots=True)
class Failed:
    """A row that an operator could not process, by its place in the batch."""

    row: int
    operator: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """A sampled row before and after an operator, by its place in the batch."""

    row: int
    operator: str
    before: str
    after: str


@dataclass(slots=True)
class StageOutcome:
    """What became of the rows of a batch.

    Attributes:
        rows: Places in the batch of the rows that are left, ascending.
        texts: Their text columns.
        dropped: The rows that were dropped.
        failed: The rows that failed.
        keys: The deduplicator's key of each row that is left, if the stage ends with one.
        changes: Sampled changes.
    """

    rows: pl.Series
    texts: pl.DataFrame
    dropped: list[Dropped] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    keys: pl.Series | None = None
    changes: list[Change] = field(default_factory=list)

    def kept_mask(self, height: int) -> pl.Series | None:
        """Return which rows of a batch of this height are left, or None if all are."""
        if len(self.rows) == height:
            return None
        return pl.Series([False]).new_from_index(0, height).scatter(self.rows, True)

    def keep_only(self, mask: pl.Series) -> None:
        """Leave out the rows for which `mask` is false."""
        self.rows = self.rows.filter(mask)
        self.texts = pl.DataFrame([column.filter(mask) for column in self.texts])

    def new_texts(self, before: pl.DataFrame) -> list[NewTexts]:
        """Return the text columns of the rows that are left, and where they differ from the batch as it was."""
        texts = []
        for column in before.columns:
            old = before[column] if len(self.rows) == before.height else before[column][self.rows]
            texts.append(NewTexts(column, self.texts[column], self.texts[column] != old))
        return texts


class StageRunner:
    """Runs the operators of a stage over one batch after another, and counts."""

    def __init__(self, operators: Sequence[Operator[Params]], labels: Sequence[str]) -> None:
        """Take the operators in order, each with its name in counts and reasons."""
        self._operators = list(zip(operators, labels, strict=True))
        self.counts = [OperatorCounts(label) for label in labels]
        self._samples = dict.fromkeys(labels, 0)

    def run(self, texts: pl.DataFrame, height: int) -> StageOutcome:
        """Run all operators over a batch.

        Args:
            texts: The text columns, without nulls; none if the stage has no operators.
            height: How many rows the batch has.
        """
        outcome = StageOutcome(pl.int_range(height, eager=True, dtype=pl.UInt32), texts)
        for (operator, label), counts in zip(self._operators, self.counts, strict=True):
            started = time.perf_counter()
            counts.rows_in += len(outcome.rows)
            self._apply(operator, label, counts, outcome)
            counts.seconds += time.perf_counter() - started
        return outcome

    def _apply(self, operator: Operator[Params], label: str, counts: OperatorCounts, outcome: StageOutcome) -> None:
        evaluation = evaluate(operator, outcome.texts)
        values = evaluation.values
        if evaluation.failures:
            counts.quarantined += len(evaluation.failures)
            outcome.failed += [
                Failed(outcome.rows[failure.index], label, failure.error_code, failure.message)
                for failure in evaluation.failures
            ]
            worked = values.is_not_null()
            outcome.keep_only(worked)
            values = values.filter(worked)
        if operator.spec.kind is OperatorKind.MAPPER:
            self._change(operator.columns_written[0], label, values, counts, outcome)
        elif isinstance(operator, Filter):
            self._drop(operator, label, values, counts, outcome)
        else:
            outcome.keys = values

    def _change(
        self, column: str, label: str, values: pl.Series, counts: OperatorCounts, outcome: StageOutcome
    ) -> None:
        old = outcome.texts[column]
        changed = values != old
        count = int(changed.sum())
        if not count:
            return
        counts.changed += count
        wanted = SAMPLES_PER_OPERATOR - self._samples[label]
        if wanted > 0:
            for place in changed.arg_true().head(wanted):
                before, after = excerpts(old[place], values[place])
                outcome.changes.append(Change(outcome.rows[place], label, before, after))
                self._samples[label] += 1
        outcome.texts = outcome.texts.clone().replace_column(
            outcome.texts.get_column_index(column), values.alias(column)
        )

    @staticmethod
    def _drop(
        operator: Filter[FilterParams], label: str, values: pl.Series, counts: OperatorCounts, outcome: StageOutcome
    ) -> None:
        stay = operator.keep(values)
        if stay.all():
            return
        drop = ~stay
        rows = outcome.rows.filter(drop)
        counts.dropped += len(rows)
        outcome.dropped.append(Dropped(label, operator.metric_name, rows, values.filter(drop)))
        outcome.keep_only(stay)
