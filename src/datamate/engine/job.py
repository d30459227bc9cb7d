"""What a worker process must know to work on a run, and the tasks it is given; plain data, cheap to import."""

from dataclasses import dataclass
from pathlib import Path

from datamate.engine.accounting import PartitionCounts
from datamate.engine.formats.kinds import FileKind
from datamate.engine.inputs import InputFile
from datamate.engine.partitions import Partition
from datamate.engine.plan import Plan
from datamate.engine.recipe_model import Recipe


@dataclass(frozen=True, slots=True)
class Job:
    """A run as its workers see it.

    Attributes:
        recipe: What to run.
        files: The input.
        plan: The stages.
        parts: Folder of the attempt files.
        as_lines: Whether the output is lines of JSON, not Parquet.
        owner: Part of the names of all files of this process, so that one that was taken over writes to no file of
            its successor.
    """

    recipe: Recipe
    files: tuple[InputFile, ...]
    plan: Plan
    parts: Path
    as_lines: bool
    owner: str

    @property
    def has_tables(self) -> bool:
        """Whether rows have Arrow types to keep, not only JSON."""
        return any(file.kind is FileKind.PARQUET for file in self.files)

    def is_last(self, stage: int) -> bool:
        """Tell whether rows go from this stage to the output."""
        return stage == len(self.plan.stages) - 1

    def files_of(self, task: "CommittedTask") -> "AttemptFiles":
        """Return the files of this process's attempt at a task."""
        return AttemptFiles(self.parts, f"{task.phase}-{task.place:06d}-{self.owner}-{task.attempt}")

    def writes_lines(self, stage: int) -> bool:
        """Tell whether rows leave this stage as lines of JSON."""
        return not self.has_tables or (self.is_last(stage) and self.as_lines)


@dataclass(frozen=True, slots=True)
class PlanTask:
    """Check the recipe against operators and data, and plan it; needs no job."""

    recipe: Recipe
    files: tuple[InputFile, ...]


@dataclass(frozen=True, slots=True)
class TransformTask:
    """Take one partition through one stage.

    Attributes:
        stage: The stage.
        partition: The partition.
        attempt: Which attempt this is, from 1; part of the names of its files.
        source: Base name of the partition's committed files of the stage before; None in the first stage.
        duplicates: Committed files that name the rows to leave out; empty in the first stage.
    """

    stage: int
    partition: Partition
    attempt: int
    source: str | None = None
    duplicates: tuple[str, ...] = ()

    @property
    def phase(self) -> str:
        """What is done, in commits."""
        return f"stage{self.stage}"

    @property
    def place(self) -> int:
        """Which of its phase this is."""
        return self.partition.index


KEYS_PER_BUCKET = 1_000_000
"""So many keys are compared in about 100 MB."""


@dataclass(frozen=True, slots=True)
class JoinTask:
    """Find the rows whose key occurred before, among the keys of one bucket of all partitions.

    Attributes:
        stage: The stage whose keys are compared.
        bucket: Which part of the keys, from 0.
        buckets: How many parts there are.
        attempt: Which attempt this is, from 1.
        sources: Base names of the committed files, in the order of the partitions.
    """

    stage: int
    bucket: int
    buckets: int
    attempt: int
    sources: tuple[str, ...]

    @property
    def phase(self) -> str:
        """What is done, in commits."""
        return f"duplicates{self.stage}"

    @property
    def place(self) -> int:
        """Which of its phase this is."""
        return self.bucket


@dataclass(frozen=True, slots=True)
class ParquetTask:
    """Make one Parquet file of the committed files of the last stage.

    Attributes:
        sources: Base names of the committed files, in the order of the partitions.
        target: The file to write.
    """

    sources: tuple[str, ...]
    target: Path


CommittedTask = TransformTask | JoinTask
Task = PlanTask | TransformTask | JoinTask | ParquetTask
Result = Plan | PartitionCounts


@dataclass(frozen=True, slots=True)
class AttemptFiles:
    """The files of one attempt at one partition in one stage; those that would be empty are not written.

    Attributes:
        folder: Where they are.
        base: What their names begin with.
    """

    folder: Path
    base: str

    @property
    def lines(self) -> Path:
        """Rows as lines of JSON."""
        return self.folder / f"{self.base}.jsonl"

    @property
    def ranges(self) -> Path:
        """Rows as ranges of the lines of another attempt, in place of lines of its own."""
        return self.folder / f"{self.base}.ranges.json"

    @property
    def table(self) -> Path:
        """Rows as Parquet."""
        return self.folder / f"{self.base}.parquet"

    @property
    def keys(self) -> Path:
        """Ordinal of each row, with its deduplication key and its size."""
        return self.folder / f"{self.base}.keys.arrow"

    @property
    def duplicates(self) -> Path:
        """Rows that a deduplicator found, of all partitions."""
        return self.folder / f"{self.base}.duplicates.arrow"

    @property
    def fates(self) -> Path:
        """What became of the rows that end here."""
        return self.folder / f"{self.base}.rows.parquet"

    @property
    def quarantine(self) -> Path:
        """The rows that could not be processed."""
        return self.folder / f"{self.base}.quarantine.jsonl"

    def all(self) -> tuple[Path, ...]:
        """Return every file the attempt may have."""
        return (self.lines, self.ranges, self.table, self.keys, self.duplicates, self.fates, self.quarantine)
