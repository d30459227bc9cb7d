"""The engine's checkpoints in PostgreSQL, each written in a transaction that only the holder of the lease can commit.

Each claim of a run works in a folder of its own, so that a worker that was paused beyond its lease and wakes up touches
nothing of its successor's. Attempt files that are committed are also put into a bucket, if that is where objects are;
with a folder store the scratch folder lies beside it and is as durable.
"""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from datamate import __version__
from datamate.core.errors import NotFoundError
from datamate.engine.accounting import PartitionCounts
from datamate.engine.checkpoints import Commit
from datamate.engine.errors import FenceLostError
from datamate.engine.job import AttemptFiles
from datamate.platform.tasks import TaskContext, TaskFencedError
from datamate.platform.tasks.checkpoint import CheckpointRow
from datamate.services.runtime.deps import RuntimeResources
from datamate.services.runtime.runs import repository
from datamate.services.runtime.runs.object_keys import parts_prefix
from datamate.storage import open_blocking_store
from datamate.storage.blocking import file_pieces
from datamate.storage.store import BLOCK_BYTES

ResultT = TypeVar("ResultT")

_TIMEOUT_SECONDS: Final = 300.0


class _Payload(BaseModel):
    """What a checkpoint row says beside its key.

    Attributes:
        base: What the names of its files begin with.
        folder: Where they were written.
        files: Their names.
        counts: What became of the rows.
    """

    base: str
    folder: str
    files: list[str]
    counts: dict[str, object]


class TaskCheckpointStore:
    """The commits of one run; called by the engine's thread, works on the loop of the task."""

    def __init__(
        self, ctx: TaskContext[RuntimeResources], run_id: str, parts: Path, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Keep the commits of a run.

        Args:
            ctx: The attempt at the run's task.
            run_id: The run.
            parts: The folder of this claim's attempt files.
            loop: The loop that `ctx` belongs to.
        """
        self._ctx, self._run_id, self._parts, self._loop = ctx, run_id, parts, loop
        self._store = open_blocking_store(ctx.resources.store.location)
        self._is_bucket = ctx.resources.store.location.scheme != "file"
        self._key = ""

    def open(self, key: str) -> Sequence[Commit]:
        """Return what earlier claims committed under this key, their files brought into this claim's folder."""
        self._key = f"{__version__}/{key}"
        rows = [(row, _Payload.model_validate(row.payload)) for row in self._wait(self._load)]
        return [
            Commit(row.stage, row.partition, row.attempt, payload.base, PartitionCounts.from_json(payload.counts))
            for row, payload in rows
            if self._bring(payload)
        ]

    def commit(self, commit: Commit) -> None:
        """Record a finished task durably.

        Raises:
            FenceLostError: Another worker has taken the run over.
        """
        files = [path for path in AttemptFiles(self._parts, commit.base).all() if path.exists()]
        if self._is_bucket:
            for path in files:
                self._store.put(self._object_key(path.name), file_pieces(path))
        payload = _Payload(
            base=commit.base,
            folder=str(self._parts),
            files=[path.name for path in files],
            counts=commit.counts.to_json(),
        )
        self._wait(lambda: self._insert(commit, payload))

    def close(self) -> None:
        """Do nothing: the lease ends with the task."""

    def _bring(self, payload: _Payload) -> bool:
        """Put the files of a commit into this claim's folder; False if one is gone, so that it is done again."""
        for name in payload.files:
            target = self._parts / name
            with suppress(OSError):
                target.hardlink_to(Path(payload.folder) / name)
            if not target.exists() and not self._download(name, target):
                return False
        return True

    def _download(self, name: str, target: Path) -> bool:
        if not self._is_bucket:
            return False
        try:
            with self._store.open(self._object_key(name)) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy, BLOCK_BYTES)
        except NotFoundError:
            return False
        return True

    def _object_key(self, name: str) -> str:
        return parts_prefix(self._run_id) + name

    async def _load(self) -> Sequence[CheckpointRow]:
        async with self._ctx.transaction() as session:
            return await repository.open_checkpoints(session, self._run_id, self._key)

    async def _insert(self, commit: Commit, payload: _Payload) -> None:
        async with self._ctx.transaction() as session:
            await repository.add_checkpoint(
                session,
                {
                    "run_id": self._run_id,
                    "key": self._key,
                    "stage": commit.stage,
                    "partition": commit.partition,
                    "attempt": commit.attempt,
                    "fence": self._ctx.fence,
                    "payload": payload.model_dump(mode="json"),
                },
            )

    def _wait(self, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
        try:
            return asyncio.run_coroutine_threadsafe(work(), self._loop).result(_TIMEOUT_SECONDS)
        except TaskFencedError as error:
            raise FenceLostError(error.detail) from error
