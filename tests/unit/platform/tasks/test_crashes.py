"""Workers that are killed, frozen or told to leave: the work is done once, by somebody, or fails with a clear error."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text, update

from datamate.config.database import DatabaseSettings
from datamate.contracts.main.tasks import TaskStatus
from datamate.platform.db import Database
from datamate.platform.tasks import TaskContext, TaskKind
from datamate.platform.tasks.models import TaskRow
from datamate.platform.tasks.put_back import reclaim_expired
from factories import worker_process
from factories.engines import PostgresEngine
from factories.events import eventually, running
from factories.tasks import QUICK, SUM, Sum, Total, add, ended, queue, read, worker

TESTS = Path(worker_process.__file__).parents[1]
Spawn = Callable[[float], subprocess.Popen[bytes]]


@pytest.fixture
async def database(own_database_url: str) -> AsyncIterator[Database]:
    database = Database(DatabaseSettings(), own_database_url)
    async with database.transaction() as session:
        await session.execute(
            text("CREATE TABLE step (number int PRIMARY KEY, fence bigint, at timestamptz DEFAULT clock_timestamp())")
        )
    yield database
    await database.close()


@pytest.fixture
def spawn(own_database_url: str) -> Iterator[Spawn]:
    """Start worker processes; the fixture ends those that still run."""
    started: list[subprocess.Popen[bytes]] = []

    def start(seconds_per_step: float) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, worker_process.__file__, own_database_url, str(seconds_per_step)],
            env=os.environ | {"PYTHONPATH": str(TESTS)},
            stdout=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


async def steps(database: Database) -> list[tuple[int, int]]:
    async with database.reader() as session:
        rows = await session.execute(text("SELECT number, fence FROM step ORDER BY at"))
        return [(row.number, row.fence) for row in rows]


async def test_every_step_happens_once_when_workers_are_killed_at_random(database: Database, spawn: Spawn) -> None:
    task_id = await queue(database, 60, kind=TaskKind("workshop.sum", SUM.payload, max_attempts=20))
    for _ in range(4):
        victim = spawn(0.01)
        before = len(await steps(database))
        await eventually(lambda before=before: _has_steps(database, before + 5), within_seconds=20)
        await asyncio.sleep(random.uniform(0, 0.1))
        victim.kill()
        victim.wait()
    spawn(0.01)

    done = await ended(database, task_id, within_seconds=20)
    taken = await steps(database)
    assert done.status == TaskStatus.SUCCEEDED
    assert [number for number, _ in taken] == list(range(60))
    assert [fence for _, fence in taken] == sorted(fence for _, fence in taken)
    assert done.attempt == 5


async def _has_steps(database: Database, number: int) -> bool:
    return len(await steps(database)) >= number


async def test_frozen_worker_writes_nothing_when_it_wakes_up_after_its_lease(database: Database, spawn: Spawn) -> None:
    task_id = await queue(database, 10_000)
    zombie = spawn(0.01)
    await eventually(lambda: _has_steps(database, 5), within_seconds=20)
    await freeze(zombie, database)
    await eventually(lambda: _is_queued_or_taken(database, task_id, zombie_fence=1))
    heir = spawn(0.01)
    await eventually(lambda: _has_fence(database, 2), within_seconds=20)

    zombie.send_signal(signal.SIGCONT)
    seen = len(await steps(database))
    await eventually(lambda: _has_steps(database, seen + 50), within_seconds=20)

    fences = [fence for _, fence in await steps(database)]
    assert fences == sorted(fences)
    assert set(fences) <= {1, 2}
    assert heir.poll() is None
    assert zombie.poll() is None  # it goes on with other work


async def freeze(process: subprocess.Popen[bytes], database: Database) -> None:
    """Stop a process at a moment when it holds no row lock, which nobody could take from it."""
    while True:
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.05)
        async with database.reader() as session:
            held = await session.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in trans%'"))
        if not held:
            return
        process.send_signal(signal.SIGCONT)


async def _is_queued_or_taken(database: Database, task_id: str, *, zombie_fence: int) -> bool:
    """Do what any other worker does about silent ones, until it has had an effect."""
    await reclaim_expired(database)
    found = await read(database, task_id)
    return found.status == TaskStatus.QUEUED or found.attempt > zombie_fence


async def _has_fence(database: Database, fence: int) -> bool:
    return any(found == fence for _, found in await steps(database))


async def test_task_fails_clearly_when_it_kills_every_worker(database: Database) -> None:
    task_id = await queue(database, 1)
    async with database.transaction() as session:
        await session.execute(
            update(TaskRow).values(
                status="running",
                attempt=3,
                fence=3,
                lease_owner="host:4711:abc",
                lease_until=text("now() - interval '1 s'"),
            )
        )
    async with running(worker(database)):
        done = await ended(database, task_id)
    assert done.status == TaskStatus.FAILED
    assert done.error is not None
    assert done.error.code == "worker_lost"
    assert done.error.message == "The worker host:4711:abc died or lost its connection during attempt 3 of 3."


async def test_worker_leaves_at_once_and_gives_its_task_back_when_terminated(database: Database, spawn: Spawn) -> None:
    task_id = await queue(database, 10_000)
    leaving = spawn(0.01)
    await eventually(lambda: _has_steps(database, 1), within_seconds=20)
    leaving.terminate()

    assert await asyncio.to_thread(leaving.wait, 5) == 0
    left = await read(database, task_id)
    assert (left.status, left.attempt) == (TaskStatus.QUEUED, 0)


async def test_task_goes_on_when_postgresql_restarts_under_it(
    database: Database, postgres_engine: PostgresEngine
) -> None:
    restarted = asyncio.Event()

    async def patient(ctx: TaskContext[object], payload: Sum) -> Total:
        await restarted.wait()
        async with ctx.transaction() as session:
            await session.execute(text("INSERT INTO step (number, fence) VALUES (1, :fence)"), {"fence": ctx.fence})
        return await add(ctx, payload)

    async with running(worker(database, patient, settings=QUICK.model_copy(update={"lease_seconds": 30}))):
        task_id = await queue(database, 1)
        await eventually(lambda: _is_running(database, task_id))
        await asyncio.to_thread(postgres_engine.stop)
        await asyncio.to_thread(postgres_engine.start)
        restarted.set()
        done = await ended(database, task_id)
    assert (done.status, done.attempt, done.result) == (TaskStatus.SUCCEEDED, 1, {"total": 1})


async def _is_running(database: Database, task_id: str) -> bool:
    return (await read(database, task_id)).status == TaskStatus.RUNNING
