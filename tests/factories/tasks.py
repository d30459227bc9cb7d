"""Tasks of a made-up workshop, and workers that run them."""

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import BaseModel

from datamate.config.worker import WorkerSettings
from datamate.contracts.main.tasks import FINAL_STATUSES, Task
from datamate.platform.db import Database
from datamate.platform.tasks import BoundTask, TaskContext, TaskKind, TaskWorker, enqueue, get_task, task
from factories.events import eventually

QUICK = WorkerSettings(concurrency=4, lease_seconds=1, heartbeat_seconds=0.2, poll_seconds=0.2)


class Sum(BaseModel):
    """Numbers to add."""

    numbers: list[int] = []


class Total(BaseModel):
    """Their sum."""

    total: int


SUM = TaskKind("workshop.sum", Sum)
Handler = Callable[[TaskContext[object], Sum], Awaitable[BaseModel | None]]


async def add(_ctx: TaskContext[object], payload: Sum) -> Total:
    return Total(total=sum(payload.numbers))


async def wait_for_ever(_ctx: TaskContext[object], _payload: Sum) -> None:
    await asyncio.Event().wait()


def worker(
    database: Database,
    handler: Handler = add,
    *,
    kind: TaskKind[Sum] = SUM,
    settings: WorkerSettings = QUICK,
    stop_grace_seconds: float = 0.2,
) -> TaskWorker:
    bound = BoundTask(task(kind)(handler), None)
    return TaskWorker(database, [bound], settings, stop_grace_seconds=stop_grace_seconds)


async def queue(
    database: Database, *numbers: int, kind: TaskKind[Sum] = SUM, key: str | None = None, priority: int = 0
) -> str:
    async with database.transaction() as session:
        return await enqueue(
            session, kind, Sum(numbers=list(numbers)), created_by="7", idempotency_key=key, priority=priority
        )


async def read(database: Database, task_id: str) -> Task:
    async with database.reader() as session:
        return await get_task(session, task_id)


async def ended(database: Database, task_id: str, *, within_seconds: float = 10.0) -> Task:
    """Wait until a task has ended and return it."""

    async def has_ended() -> bool:
        return (await read(database, task_id)).status in FINAL_STATUSES

    await eventually(has_ended, within_seconds=within_seconds)
    return await read(database, task_id)
