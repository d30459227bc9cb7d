"""The record of what is done: one fenced commit for each task, so that output is exactly once and a run can resume."""

import errno
import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from datamate.engine.accounting import PartitionCounts
from datamate.engine.errors import FenceLostError, RunConflictError
from datamate.engine.files import writing_to

_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Commit:
    """One finished task.

    Attributes:
        stage: What was done: `stage0`, `duplicates0`, `stage1` …
        partition: The partition, or the bucket of keys.
        attempt: Which attempt succeeded.
        base: What the names of its files begin with; files of other attempts are nobody's and may be deleted.
        counts: What became of its rows.
    """

    stage: str
    partition: int
    attempt: int
    base: str
    counts: PartitionCounts = field(default_factory=PartitionCounts)


class CheckpointStore(Protocol):
    """Where commits are kept. All calls block; the engine makes no two at once, `commit` from a thread of its own.

    One store belongs to one run. Whoever opens it last owns it: everybody else's commits are refused.
    """

    def open(self, key: str) -> Sequence[Commit]:
        """Take the run over and return what is committed, in no particular order.

        Args:
            key: What the results depend on. Commits made under another key are forgotten.

        Raises:
            RunConflictError: Another process works on the run, and cannot be fenced off.
        """

    def commit(self, commit: Commit) -> None:
        """Record a finished task durably; of two for one stage and partition, the first stays.

        Raises:
            FenceLostError: Another process has taken the run over since `open`.
            StorageFullError: There is no space to record it.
        """

    def close(self) -> None:
        """Let go of the run."""


class FileCheckpointStore:
    """Commits as lines of a file in the run's folder, for runs without a server.

    A lock keeps two processes from working on one run. The kernel drops it when its process dies, however it dies; so
    a second process can only be here after the first is gone, or when the folder is on a file system without locks,
    and for that case each commit checks the fence.
    """

    def __init__(self, folder: Path) -> None:
        """Keep the record in `folder`, which exists."""
        self._journal_path = folder / "commits.jsonl"
        self._fence_path = folder / "fence"
        self._lock_path = folder / _LOCK
        self._lock = self._journal = -1
        self._fence = 0
        self._done: set[tuple[str, int]] = set()

    def open(self, key: str) -> Sequence[Commit]:
        """Take the run over and return what is committed.

        Raises:
            RunConflictError: Another process works on the run.
        """
        with writing_to(self._lock_path):
            self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise RunConflictError(
                f"Another process is working on {self._lock_path.parent}; wait for it or stop it."
            ) from error
        self._fence = self._read_fence() + 1
        with writing_to(self._fence_path):
            self._fence_path.write_text(str(self._fence))
        commits = self._read_journal(key)
        with writing_to(self._journal_path):
            self._journal = os.open(self._journal_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not self._journal_path.stat().st_size:
            self._append({"key": key})
        self._done = {(commit.stage, commit.partition) for commit in commits}
        return commits

    def commit(self, commit: Commit) -> None:
        """Record a finished task durably; of two for one stage and partition, the first stays.

        Raises:
            FenceLostError: Another process has taken the run over since `open`.
            StorageFullError: There is no space to record it.
        """
        if self._read_fence() != self._fence:
            raise FenceLostError(f"Another process has taken over {self._lock_path.parent}; this one stops.")
        place = (commit.stage, commit.partition)
        if place not in self._done:
            self._append(asdict(commit))
            self._done.add(place)

    def close(self) -> None:
        """Let go of the run."""
        for descriptor in (self._journal, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._journal = self._lock = -1

    def _append(self, record: Mapping[str, object]) -> None:
        line = json.dumps(record).encode() + b"\n"
        with writing_to(self._journal_path):
            if os.write(self._journal, line) < len(line):
                # Part of the line fitted; opening the journal again cuts it off.
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fdatasync(self._journal)

    def _read_fence(self) -> int:
        try:
            return int(self._fence_path.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def _read_journal(self, key: str) -> list[Commit]:
        """Return the commits made under this key; others are forgotten, and so is a last line cut off by a crash."""
        try:
            data = self._journal_path.read_bytes()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        records = [json.loads(line) for line in whole.splitlines()]
        if not records or records[0].get("key") != key:
            self._journal_path.unlink()
            return []
        with writing_to(self._journal_path):
            os.truncate(self._journal_path, len(whole))
        return [_commit(record) for record in records[1:]]


def _commit(record: dict[str, object]) -> Commit:
    counts = PartitionCounts.from_json(record["counts"])  # type: ignore[arg-type]  # written by commit()
    return Commit(**{**record, "counts": counts})  # type: ignore[arg-type]  # written by commit()


def is_locked(folder: Path) -> bool:
    """Tell whether a process works on the run in this folder."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
