"""What a handler knows of the task it runs, and its only way to write."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from pydantic import JsonValue
from sqlalchemy import select

from datamate.contracts.main.tasks import TaskProgress, TaskStatus
from datamate.platform.db.database import Database
from datamate.platform.db.session import Session
from datamate.platform.tasks.errors import TaskCancelledError, TaskFencedError
from datamate.platform.tasks.models import TaskRow

ResourcesT_co = TypeVar("ResourcesT_co", covariant=True)

HELD_STATUSES = (TaskStatus.RUNNING, TaskStatus.CANCELLING)


@dataclass(frozen=True, slots=True)
class Claim:
    """A task as the worker that claimed it sees it."""

    task_id: str
    kind: str
    payload: dict[str, JsonValue]
    attempt: int
    max_attempts: int
    fence: int
    created_by: str


class TaskContext(Generic[ResourcesT_co]):
    """One attempt at one task.

    Attributes:
        task_id: Id of the task.
        kind: Its kind.
        attempt: 1 for the first claim.
        fence: Number of this claim; pass it on to whatever must refuse a worker that lost its lease.
        created_by: Id of the user it works for.
        resources: What the worker was given for the handlers of this service.
        cancelled: Set within a second after someone asks to cancel.
        log: A logger that names the task.
    """

    def __init__(self, database: Database, claim: Claim, resources: ResourcesT_co) -> None:
        self.task_id = claim.task_id
        self.kind = claim.kind
        self.attempt = claim.attempt
        self.fence = claim.fence
        self.created_by = claim.created_by
        self.resources = resources
        self.cancelled = asyncio.Event()
        self.progress: TaskProgress | None = None
        self.log: structlog.stdlib.BoundLogger = structlog.get_logger("datamate.task").bind(
            task_id=claim.task_id, kind=claim.kind, attempt=claim.attempt
        )
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """Open a transaction that only the holder of the lease can commit. Keep it short.

        Raises:
            TaskFencedError: Another worker has taken the task over; stop at once.
        """
        async with self._database.transaction() as session:
            held = (
                select(TaskRow.id)
                .where(TaskRow.id == self.task_id, TaskRow.fence == self.fence, TaskRow.status.in_(HELD_STATUSES))
                .with_for_update()
            )
            if await session.scalar(held) is None:
                raise TaskFencedError
            yield session

    def report(self, progress: TaskProgress) -> None:
        """Say how far the task is. Cheap and callable from any thread; the newest report is stored twice a second."""
        self.progress = progress

    def check_cancelled(self) -> None:
        """Raise `TaskCancelledError` when someone asked to cancel, which ends the task as cancelled."""
        if self.cancelled.is_set():
            raise TaskCancelledError
