"""Makes finished tasks durable in a thread of its own, so that workers never wait for the disk or the store."""

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

from datamate.engine.accounting import PartitionCounts
from datamate.engine.checkpoints import CheckpointStore, Commit
from datamate.engine.files import sync_files
from datamate.engine.job import CommittedTask, Job

_Finished = tuple[CommittedTask, PartitionCounts]


class Committer:
    """Commits tasks one after another.

    Attributes:
        pending: Tasks handed over and not yet taken back by `finished`.
        ready: A descriptor that can be read when `finished` has something to say.
    """

    def __init__(self, job: Job, store: CheckpointStore, on_commit: Callable[[Commit], None]) -> None:
        """Start the thread, which alone talks to the store until `close`, and calls `on_commit` after each commit."""
        self._job, self._store, self._on_commit = job, store, on_commit
        self._tasks: SimpleQueue[_Finished | None] = SimpleQueue()
        self._results: SimpleQueue[Commit | BaseException] = SimpleQueue()
        self._closing = False
        self.pending = 0
        self.ready = os.eventfd(0)
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    def submit(self, task: CommittedTask, counts: PartitionCounts) -> None:
        """Hand over a finished task."""
        self.pending += 1
        self._tasks.put((task, counts))

    def finished(self) -> list[Commit]:
        """Return what was committed since the last call; never waits.

        Raises:
            BaseException: Whatever a commit raised.
        """
        commits = []
        while not self._results.empty():
            result = self._results.get()
            self.pending -= 1
            if isinstance(result, BaseException):
                raise result
            commits.append(result)
        return commits

    def close(self) -> None:
        """End the thread after what it is at; a task still waiting stays uncommitted, to be done again by a resume."""
        self._closing = True
        self._tasks.put(None)
        self._thread.join()
        os.close(self.ready)

    def _work(self) -> None:
        while not self._closing:
            group = self._next_group()
            try:
                sync_files(path for task, _ in group for path in self._job.files_of(task).all())
                for task, counts in group:
                    self._results.put(self._commit(task, counts))
            except BaseException as error:  # noqa: BLE001 - the thread's boundary; `finished` raises it
                self._results.put(error)
            os.eventfd_write(self.ready, 1)

    def _next_group(self) -> list[_Finished]:
        """Wait for a task and return it with those that came in meanwhile, which go to the disk together."""
        group = [self._tasks.get()]
        while not self._tasks.empty():
            group.append(self._tasks.get())
        return [] if self._closing else [finished for finished in group if finished is not None]

    def _commit(self, task: CommittedTask, counts: PartitionCounts) -> Commit:
        commit = Commit(task.phase, task.place, task.attempt, self._job.files_of(task).base, counts)
        self._store.commit(commit)
        self._on_commit(commit)
        return commit
