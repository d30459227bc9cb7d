"""Takes all partitions through all stages: hands out tasks, commits what is done, retries what was lost."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from datamate.engine.accounting import OperatorCounts, PartitionCounts, Totals
from datamate.engine.checkpoints import CheckpointStore, Commit
from datamate.engine.committer import Committer
from datamate.engine.errors import RunCancelledError, TooManyBadRowsError, WorkerCrashedError
from datamate.engine.job import (
    KEYS_PER_BUCKET,
    AttemptFiles,
    CommittedTask,
    Job,
    JoinTask,
    ParquetTask,
    Task,
    TransformTask,
)
from datamate.engine.lines_output import LinesOutput
from datamate.engine.local.channel import Done
from datamate.engine.local.pool import Died, WorkerPool
from datamate.engine.partitions import Partition
from datamate.engine.plan import StagePlan

MAX_ATTEMPTS = 3
_TICK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is.

    Attributes:
        stage: The stage that runs, from 0.
        stages: How many there are.
        partitions_done: Partitions that are through this stage.
        partitions: Partitions of the input.
        rows: Rows of the input that were read so far.
        bytes: Bytes of the input that were read so far.
        bytes_total: Size of the input.
        operators: What each operator did in the partitions that are done.
        seconds: Time since the start.
    """

    stage: int
    stages: int
    partitions_done: int
    partitions: int
    rows: int
    bytes: int
    bytes_total: int
    operators: tuple[OperatorCounts, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Watch:
    """How a run is followed and stopped.

    Attributes:
        on_progress: Called about ten times a second, from the thread that runs the engine.
        is_cancelled: Asked as often; True stops the run within a second.
    """

    on_progress: Callable[[RunProgress], None] = lambda _: None
    is_cancelled: Callable[[], bool] = lambda: False

    def check(self) -> None:
        """Return unless the run is to stop.

        Raises:
            RunCancelledError: It is.
        """
        if self.is_cancelled():
            raise RunCancelledError


class Coordinator:
    """One run over its partitions.

    Attributes:
        totals: The account so far.
        reused: How many commits of an earlier attempt were not repeated.
    """

    def __init__(
        self, job: Job, partitions: Sequence[Partition], pool: WorkerPool, store: CheckpointStore, watch: Watch
    ) -> None:
        """Take all parts of the run; nothing starts yet."""
        self._job, self._partitions, self._pool, self._store, self._watch = job, partitions, pool, store, watch
        self._commits: dict[tuple[str, int], Commit] = {}
        self._deaths: Counter[tuple[str, int]] = Counter()
        self._started = time.perf_counter()
        self._stage = self._rows_read = self._bytes_read = 0
        self._bytes_total = sum(file.size_bytes for file in job.files)
        self.totals = Totals()
        self.reused = 0

    def resume(self, commits: Iterable[Commit]) -> None:
        """Take over what an earlier attempt at this run committed, and delete what it did not."""
        for commit in commits:
            self._remember(commit)
            self._read(commit.stage, commit.counts)
        self.reused = len(self._commits)
        ours = {commit.base for commit in self._commits.values()}
        for path in self._job.parts.iterdir():
            if path.name.partition(".")[0] not in ours:
                path.unlink()

    def run(self, output: LinesOutput | None) -> None:
        """Take the partitions through all stages.

        Args:
            output: Where the files of the last stage are appended, if that is how the output is made.

        Raises:
            RunCancelledError: The watch says so.
            WorkerCrashedError: A partition killed its worker again and again.
            TooManyBadRowsError: More rows were quarantined than the recipe allows.
        """
        for stage in self._job.plan.stages:
            self._stage = stage.index
            appended = output if self._job.is_last(stage.index) else None
            self._run_phase(self._transforms(stage), appended)
            if stage.barrier:
                self._run_phase(self._joins(stage), None)
        self.totals.check()

    def write_parquet(self, task: ParquetTask) -> None:
        """Make one Parquet file of what the last stage left."""
        self._run_tasks(deque([task]), lambda _: None)

    def committed_files(self) -> list[AttemptFiles]:
        """Return the files of all commits, stage by stage in the order of the partitions."""
        return [AttemptFiles(self._job.parts, self._commits[place].base) for place in sorted(self._commits)]

    def sources(self, stage: int) -> tuple[str, ...]:
        """Return the base names of the committed files of a stage, in the order of the partitions."""
        return tuple(self._commits[f"stage{stage}", partition.index].base for partition in self._partitions)

    def _transforms(self, stage: StagePlan) -> list[CommittedTask]:
        if stage.index == 0:
            return [TransformTask(0, partition, attempt=1) for partition in self._partitions]
        before = f"duplicates{stage.index - 1}"
        duplicates = tuple(commit.base for (phase, _), commit in sorted(self._commits.items()) if phase == before)
        sources = self.sources(stage.index - 1)
        return [
            TransformTask(stage.index, partition, attempt=1, source=source, duplicates=duplicates)
            for partition, source in zip(self._partitions, sources, strict=True)
        ]

    def _joins(self, stage: StagePlan) -> list[CommittedTask]:
        if not self._partitions:
            return []
        buckets = max(1, -(-self.totals.rows(stage.index, "rows_out") // KEYS_PER_BUCKET))
        sources = self.sources(stage.index)
        return [JoinTask(stage.index, bucket, buckets, 1, sources) for bucket in range(buckets)]

    def _run_phase(self, tasks: Sequence[CommittedTask], output: LinesOutput | None) -> None:
        appended = _InOrder(self._job, tasks, output)
        pending: deque[Task] = deque()
        for task in tasks:
            commit = self._commits.get((task.phase, task.place))
            if commit is None:
                pending.append(task)
            else:
                appended.add(commit)
        self._run_tasks(pending, appended.add)

    def _run_tasks(self, pending: "deque[Task]", on_commit: Callable[[Commit], None]) -> None:
        committer = Committer(self._job, self._store, on_commit)
        try:
            with self._pool.waking_on(committer.ready):
                self._work_off(pending, committer)
        finally:
            committer.close()

    def _work_off(self, pending: "deque[Task]", committer: Committer) -> None:
        running = 0
        while pending or running or committer.pending:
            self._watch.check()
            running += self._dispatch(pending)
            for task, event in self._pool.events(_TICK_SECONDS):
                if task is None:
                    continue
                running -= 1
                if isinstance(event, Died):
                    pending.appendleft(self._next_attempt(task, event))
                elif not isinstance(event, Done):
                    raise event.to_error()
                elif isinstance(task, TransformTask | JoinTask) and isinstance(event.result, PartitionCounts):
                    self._read(task.phase, event.result)
                    committer.submit(task, event.result)
            running += self._dispatch(pending)
            for commit in committer.finished():
                self._remember(commit)
            self._check_bad_rows()
            self._watch.on_progress(self._progress())

    def _dispatch(self, pending: "deque[Task]") -> int:
        """Give the free workers tasks and return how many were given."""
        started = 0
        for worker in self._pool.free():
            if not pending:
                break
            self._pool.submit(worker, pending.popleft())
            started += 1
        return started

    def _check_bad_rows(self) -> None:
        limit, bad = self._job.recipe.max_errors, self.totals.rows_of_all_stages("quarantined")
        if limit is not None and bad > limit:
            raise TooManyBadRowsError(
                f"{bad} rows were quarantined, more than max_errors: {limit} allows. See their reasons in "
                f"{self._job.parts}/*.quarantine.jsonl, mend the input or raise the limit."
            )

    def _remember(self, commit: Commit) -> None:
        self._commits[commit.stage, commit.partition] = commit
        if commit.stage.startswith("stage"):
            self.totals.add(int(commit.stage.removeprefix("stage")), commit.partition, commit.counts)

    def _read(self, phase: str, counts: PartitionCounts) -> None:
        """Count what was read of the input, which is done before it is committed."""
        if phase == "stage0":
            self._rows_read += counts.rows_in
            self._bytes_read += counts.bytes_in

    def _next_attempt(self, task: Task, died: Died) -> Task:
        if not isinstance(task, TransformTask | JoinTask):
            raise died.to_error()
        place = (task.phase, task.place)
        self._deaths[place] += 1
        if self._deaths[place] >= MAX_ATTEMPTS:
            raise WorkerCrashedError(
                f"{self._describe(task)} killed its worker process {MAX_ATTEMPTS} times (the last was {died.reason}). "
                "Look for a row there that an operator cannot bear."
            )
        return replace(task, attempt=task.attempt + 1)

    def _describe(self, task: CommittedTask) -> str:
        if isinstance(task, JoinTask):
            return f"Comparing the keys of bucket {task.bucket}"
        partition = task.partition
        file = self._job.files[partition.file]
        return f"Partition {partition.index} ({file.name}, from {partition.start} to {partition.end})"

    def _progress(self) -> RunProgress:
        busy = [worker for worker in self._pool.workers if isinstance(worker.task, TransformTask)]
        reading = [worker.progress for worker in busy] if self._stage == 0 else []
        return RunProgress(
            stage=self._stage,
            stages=len(self._job.plan.stages),
            partitions_done=self.totals.partitions(self._stage),
            partitions=len(self._partitions),
            rows=self._rows_read + sum(progress.rows for progress in reading),
            bytes=self._bytes_read + sum(progress.bytes for progress in reading),
            bytes_total=self._bytes_total,
            operators=self.totals.operators([operator.label for operator in self._job.plan.operators]),
            seconds=time.perf_counter() - self._started,
        )


class _InOrder:
    """Appends committed files to the output as soon as all before them are there."""

    def __init__(self, job: Job, tasks: Sequence[CommittedTask], output: LinesOutput | None) -> None:
        self._job, self._output = job, output
        self._waiting = deque(task.place for task in tasks)
        self._committed: dict[int, Commit] = {}

    def add(self, commit: Commit) -> None:
        if self._output is None:
            return
        self._committed[commit.partition] = commit
        while self._waiting and self._waiting[0] in self._committed:
            base = self._committed.pop(self._waiting.popleft()).base
            self._output.append(AttemptFiles(self._job.parts, base))
