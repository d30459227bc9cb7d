"""The account of a run: where every row went, what each operator did, and a few rows before and after."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from datamate.core.errors import DatamateError

READER = "reader"
"""Stands for an operator's name when a row could not even be read."""

SAMPLES_PER_OPERATOR = 3
EXCERPT_CHARS = 300
_COMPARED_CHARS = 4096


class AccountError(DatamateError):
    """The rows of a run do not add up, so its output was not published."""

    code = "account_error"


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """One row before and after an operator changed it, both cut to the surroundings of the first difference.

    Attributes:
        operator: The operator.
        source: The file the row came from.
        ordinal: Its place in that file, from 0.
        before: An excerpt of the text before.
        after: The same place after.
    """

    operator: str
    source: str
    ordinal: int
    before: str
    after: str


@dataclass(slots=True)
class OperatorCounts:
    """What one operator did to the rows that reached it.

    Attributes:
        operator: Its name.
        rows_in: Rows that reached it.
        dropped: Rows it removed.
        changed: Rows whose text it changed.
        quarantined: Rows it could not process.
        seconds: Time spent in it, summed over processes.
    """

    operator: str
    rows_in: int = 0
    dropped: int = 0
    changed: int = 0
    quarantined: int = 0
    seconds: float = 0.0

    def add(self, other: "OperatorCounts") -> None:
        """Add what the same operator did elsewhere."""
        self.rows_in += other.rows_in
        self.dropped += other.dropped
        self.changed += other.changed
        self.quarantined += other.quarantined
        self.seconds += other.seconds


@dataclass(frozen=True, slots=True)
class PartitionCounts:
    """What became of the rows of one partition in one stage.

    Attributes:
        rows_in: Rows that entered the stage, counting those the reader quarantined.
        rows_out: Rows that left it for the next stage or the output.
        dropped: Rows that operators removed.
        quarantined: Rows that could not be read or processed.
        bytes_in: Bytes read.
        bytes_out: Bytes of the file of rows that left.
        operators: One entry for each operator of the stage, in order.
        samples: Changed rows, the first few of each operator.
    """

    rows_in: int = 0
    rows_out: int = 0
    dropped: int = 0
    quarantined: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    operators: tuple[OperatorCounts, ...] = ()
    samples: tuple[ChangedRow, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the counts as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> "PartitionCounts":
        """Return what `to_json` was called on."""
        operators: Iterable[Mapping[str, object]] = raw["operators"]  # type: ignore[assignment]  # written by to_json
        samples: Iterable[Mapping[str, object]] = raw["samples"]  # type: ignore[assignment]  # written by to_json
        counts = cls(**{**raw, "operators": (), "samples": ()})  # type: ignore[arg-type]  # written by to_json
        return replace(
            counts,
            operators=tuple(OperatorCounts(**item) for item in operators),  # type: ignore[arg-type]  # see above
            samples=tuple(ChangedRow(**item) for item in samples),  # type: ignore[arg-type]  # see above
        )


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The account of a finished run: rows_in = kept + dropped + quarantined.

    Attributes:
        rows_in: Rows of the input; blank lines are none.
        kept: Rows of the output.
        dropped: Rows removed by operators.
        quarantined: Rows that could not be read or processed.
        dropped_by: Rows removed, by operator in recipe order; equal operators are told apart by `name#2`.
        bytes_in: Size of the input.
        bytes_out: Size of the output.
        seconds: Wall time of the engine in this process; a resumed run counts only its own part.
        peak_memory_bytes: Highest resident memory, summed over processes; pages they share count in each.
        partitions: Partitions of the input.
        partitions_reused: Commits of an earlier attempt that a resume did not repeat.
        workers_replaced: Worker processes that died and were replaced.
        operators: What each operator did, in recipe order.
        samples: Changed rows, the first few of each operator.
        export_path: The output.
        details_path: Folder with the fate of every row (`rows/`), `quarantine.jsonl` and this summary.
    """

    rows_in: int
    kept: int
    dropped: int
    quarantined: int
    dropped_by: dict[str, int]
    bytes_in: int
    bytes_out: int
    seconds: float
    peak_memory_bytes: int
    partitions: int
    partitions_reused: int
    workers_replaced: int
    operators: tuple[OperatorCounts, ...]
    samples: tuple[ChangedRow, ...]
    export_path: str
    details_path: str

    def to_json(self) -> dict[str, object]:
        """Return the summary as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> "RunSummary":
        """Return what `to_json` was called on."""
        summary = cls(**raw)  # type: ignore[arg-type]  # written by to_json
        return replace(
            summary,
            operators=tuple(OperatorCounts(**item) for item in summary.operators),  # type: ignore[arg-type]
            samples=tuple(ChangedRow(**item) for item in summary.samples),  # type: ignore[arg-type]
        )


_SUMMED = ("rows_in", "rows_out", "dropped", "quarantined")


@dataclass(slots=True)
class Totals:
    """Adds up partitions, stage by stage, and checks that no row went missing on the way."""

    _stages: dict[int, dict[int, PartitionCounts]] = field(default_factory=dict)
    _operators: dict[str, OperatorCounts] = field(default_factory=dict)
    _sums: Counter[tuple[int, str]] = field(default_factory=Counter)

    def add(self, stage: int, partition: int, counts: PartitionCounts) -> None:
        """Add what became of one partition in one stage."""
        self._stages.setdefault(stage, {})[partition] = counts
        for attribute in _SUMMED:
            self._sums[stage, attribute] += getattr(counts, attribute)
        for operator in counts.operators:
            self._operators.setdefault(operator.operator, OperatorCounts(operator.operator)).add(operator)

    def rows(self, stage: int, attribute: str) -> int:
        """Return the sum of one count over a stage."""
        return self._sums[stage, attribute]

    def partitions(self, stage: int) -> int:
        """Return how many partitions are through a stage."""
        return len(self._stages.get(stage, {}))

    def rows_of_all_stages(self, attribute: str) -> int:
        """Return the sum of one count over all stages."""
        return sum(self.rows(stage, attribute) for stage in self._stages)

    def operators(self, labels: Sequence[str]) -> tuple[OperatorCounts, ...]:
        """Return what each of these operators did; a deduplicator's drops are counted in the stage after it."""
        return tuple(self._operators.get(label) or OperatorCounts(label) for label in labels)

    def samples(self) -> tuple[ChangedRow, ...]:
        """Return the first changed rows of each operator, in the order of the input."""
        seen: dict[str, int] = {}
        chosen = []
        for sample in (sample for counts in self._in_order() for sample in counts.samples):
            seen[sample.operator] = seen.get(sample.operator, 0) + 1
            if seen[sample.operator] <= SAMPLES_PER_OPERATOR:
                chosen.append(sample)
        return tuple(chosen)

    def check(self) -> None:
        """Check that every row that entered a stage left it by exactly one way, and reached the next.

        Raises:
            AccountError: A row is missing or counted twice.
        """
        for stage, parts in self._stages.items():
            for partition, counts in parts.items():
                if counts.rows_in != counts.rows_out + counts.dropped + counts.quarantined:
                    raise AccountError(f"Stage {stage}, partition {partition}: the rows do not add up: {counts}.")
            if stage and self.rows(stage, "rows_in") != self.rows(stage - 1, "rows_out"):
                raise AccountError(
                    f"Stage {stage} read {self.rows(stage, 'rows_in')} rows, "
                    f"but the stage before it wrote {self.rows(stage - 1, 'rows_out')}."
                )

    def _in_order(self) -> Iterable[PartitionCounts]:
        for stage in sorted(self._stages):
            for partition in sorted(self._stages[stage]):
                yield self._stages[stage][partition]


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names with `#2`, `#3` … after those that came before, so that each stands for one operator."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(distinct)


def excerpts(before: str, after: str) -> tuple[str, str]:
    """Return both texts cut to the surroundings of their first difference."""
    start = max(0, _first_difference(before, after) - EXCERPT_CHARS // 3)
    return _cut(before, start), _cut(after, start)


def _first_difference(before: str, after: str) -> int:
    """Return where two texts begin to differ, in steps that the interpreter compares as a whole."""
    start = 0
    while start < len(before) and before[start : start + _COMPARED_CHARS] == after[start : start + _COMPARED_CHARS]:
        start += _COMPARED_CHARS
    pairs = zip(before[start : start + _COMPARED_CHARS], after[start : start + _COMPARED_CHARS], strict=False)
    shorter = min(len(before), len(after))
    return next((start + place for place, (old, new) in enumerate(pairs) if old != new), shorter)


def _cut(text: str, start: int) -> str:
    end = start + EXCERPT_CHARS
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
