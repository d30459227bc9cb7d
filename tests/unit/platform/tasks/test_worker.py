"""Workers: each task runs once, ends in the right state, and is never lost when a worker stops."""

import asyncio
import threading
import time

import pytest
from sqlalchemy import func, select, text, update

from datamate.config.database import DatabaseSettings
from datamate.config.worker import WorkerSettings
from datamate.contracts.main.tasks import TaskProgress, TaskStatus
from datamate.core.errors import ConfigurationError, InvalidInputError, UnavailableError
from datamate.platform.db import Database
from datamate.platform.db.outbox import OutboxRow
from datamate.platform.tasks import (
    BoundTask,
    TaskContext,
    TaskFencedError,
    TaskKind,
    TaskWorker,
    enqueue,
    request_cancel,
    task,
)
from datamate.platform.tasks import execution as execution_module
from datamate.platform.tasks.models import TaskRow
from datamate.platform.tasks.put_back import reclaim_expired
from factories.events import eventually, running
from factories.tasks import QUICK, SUM, Sum, Total, add, ended, queue, read, wait_for_ever, worker

ONE_AT_A_TIME = WorkerSettings(concurrency=1, lease_seconds=1, heartbeat_seconds=0.2, poll_seconds=0.2)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_module, "RETRY_BASE_SECONDS", 0.01)
    monkeypatch.setattr(execution_module, "PROGRESS_SECONDS", 0.1)


async def cancel(database: Database, task_id: str) -> None:
    async with database.transaction() as session:
        await request_cancel(session, task_id)


async def is_running(database: Database, task_id: str) -> bool:
    return (await read(database, task_id)).status == TaskStatus.RUNNING


async def test_task_succeeds_with_its_result_when_the_handler_returns(database: Database) -> None:
    async with running(worker(database)):
        done = await ended(database, await queue(database, 1, 2, 3))
    assert (done.status, done.result, done.error, done.attempt) == (TaskStatus.SUCCEEDED, {"total": 6}, None, 1)
    assert done.started_at is not None
    assert done.finished_at is not None


async def test_completion_is_published_in_the_same_transaction_when_a_task_ends(database: Database) -> None:
    async with running(worker(database)):
        done = await ended(database, await queue(database, 1))
    async with database.reader() as session:
        events = (await session.scalars(select(OutboxRow).order_by(OutboxRow.id))).all()
    assert [event.topic for event in events] == ["task.created", "task.completed"]
    assert events[1].payload == {
        "aggregate_id": done.id,
        "aggregate_version": done.version,
        "kind": "workshop.sum",
        "status": "succeeded",
    }


async def test_every_task_runs_once_when_several_workers_compete(database: Database) -> None:
    runs: list[str] = []

    async def note(ctx: TaskContext[object], _payload: Sum) -> None:
        runs.append(ctx.task_id)
        await asyncio.sleep(0.005)

    async with running(*(worker(database, note) for _ in range(4))):
        ids = [await queue(database, number) for number in range(60)]
        await eventually(lambda: len(runs) >= 60)
        for task_id in ids:
            assert (await ended(database, task_id)).status == TaskStatus.SUCCEEDED
    assert sorted(runs) == sorted(ids)


async def test_higher_priority_goes_first_and_then_the_older_when_many_wait(database: Database) -> None:
    order: list[int] = []

    async def note(_ctx: TaskContext[object], payload: Sum) -> None:
        order.append(payload.numbers[0])

    for number, priority in ((1, 0), (2, 5), (3, 0), (4, 5), (5, -1)):
        await queue(database, number, priority=priority)
        await asyncio.sleep(0.002)  # ids order by the millisecond
    async with running(worker(database, note, settings=ONE_AT_A_TIME)):
        await eventually(lambda: len(order) == 5)
    assert order == [2, 4, 1, 3, 5]


async def test_task_waits_for_a_worker_that_knows_it_when_others_run(database: Database) -> None:
    task_id = await queue(database, 1, kind=TaskKind("workshop.unknown", Sum))
    elsewhere = await queue(database, 1, kind=TaskKind("workshop.sum", Sum, queue="gpu"))
    async with running(worker(database)):
        await asyncio.sleep(0.5)
    assert (await read(database, task_id)).status == TaskStatus.QUEUED
    assert (await read(database, elsewhere)).status == TaskStatus.QUEUED


async def test_task_is_repeated_when_its_error_is_retryable(database: Database) -> None:
    failures = [UnavailableError("first"), UnavailableError("second")]

    async def flaky(_ctx: TaskContext[object], payload: Sum) -> Total:
        if failures:
            raise failures.pop(0)
        return await add(_ctx, payload)

    async with running(worker(database, flaky)):
        done = await ended(database, await queue(database, 1))
    assert (done.status, done.attempt, done.error) == (TaskStatus.SUCCEEDED, 3, None)


async def test_task_fails_with_the_last_error_when_its_attempts_are_used_up(database: Database) -> None:
    async def unavailable(ctx: TaskContext[object], _payload: Sum) -> None:
        raise UnavailableError(f"attempt {ctx.attempt}")

    async with running(worker(database, unavailable)):
        done = await ended(database, await queue(database, 1))
    assert (done.status, done.attempt) == (TaskStatus.FAILED, 3)
    assert done.error is not None
    assert (done.error.code, done.error.message, done.error.retryable) == ("unavailable", "attempt 3", True)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InvalidInputError("The recipe is wrong."), "invalid_input", "The recipe is wrong."),
        (KeyError("column \x00"), "internal", "KeyError: 'column \\x00'"),
        (asyncio.CancelledError(), "internal", "The handler cancelled itself."),
    ],
)
async def test_task_fails_at_once_when_another_attempt_would_not_help(
    database: Database, error: BaseException, code: str, message: str
) -> None:
    async def fail(_ctx: TaskContext[object], _payload: Sum) -> None:
        raise error

    async with running(worker(database, fail)):
        done = await ended(database, await queue(database, 1))
    assert (done.status, done.attempt) == (TaskStatus.FAILED, 1)
    assert done.error is not None
    assert (done.error.code, done.error.message) == (code, message)


async def test_task_fails_clearly_when_its_input_does_not_fit(database: Database) -> None:
    task_id = await queue(database, 1)
    async with database.transaction() as session:
        await session.execute(update(TaskRow).values(payload={"numbers": "many"}))
    async with running(worker(database)):
        done = await ended(database, task_id)
    assert done.status == TaskStatus.FAILED
    assert done.error is not None
    assert done.error.code == "invalid_payload"
    assert "numbers" in done.error.message


async def test_task_fails_clearly_when_its_result_cannot_be_stored(database: Database) -> None:
    class Text(Total):
        text: str

    async def answer(_ctx: TaskContext[object], _payload: Sum) -> Text:
        return Text(total=1, text="\x00")

    async with running(worker(database, answer)):
        done = await ended(database, await queue(database, 1))
    assert done.status == TaskStatus.FAILED
    assert done.error is not None
    assert "NUL" in done.error.message


async def test_cancellation_reaches_the_handler_within_a_second_when_it_runs(database: Database) -> None:
    reached: list[float] = []

    async def patient(ctx: TaskContext[object], _payload: Sum) -> None:
        await ctx.cancelled.wait()
        reached.append(time.monotonic())
        ctx.check_cancelled()

    async with running(worker(database, patient)):
        task_id = await queue(database, 1)
        await eventually(lambda: is_running(database, task_id))
        asked = time.monotonic()
        await cancel(database, task_id)
        done = await ended(database, task_id)
    assert reached[0] - asked < 1.0
    assert (done.status, done.error) == (TaskStatus.CANCELLED, None)


async def test_cancellation_reaches_the_handler_when_the_notification_is_lost(database: Database) -> None:
    async def patient(ctx: TaskContext[object], _payload: Sum) -> None:
        await ctx.cancelled.wait()
        ctx.check_cancelled()

    async with running(worker(database, patient)):
        task_id = await queue(database, 1)
        await eventually(lambda: is_running(database, task_id))
        async with database.transaction() as session:
            await session.execute(update(TaskRow).values(status="cancelling"))  # and no NOTIFY
        done = await ended(database, task_id, within_seconds=2)
    assert done.status == TaskStatus.CANCELLED


async def test_task_is_cancelled_when_its_handler_ignores_the_request(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_module, "CANCEL_GRACE_SECONDS", 0.1)
    async with running(worker(database, wait_for_ever)):
        task_id = await queue(database, 1)
        await eventually(lambda: is_running(database, task_id))
        await cancel(database, task_id)
        assert (await ended(database, task_id)).status == TaskStatus.CANCELLED


async def test_task_is_cancelled_and_not_repeated_when_it_fails_after_the_request(database: Database) -> None:
    async def fail(ctx: TaskContext[object], _payload: Sum) -> None:
        await ctx.cancelled.wait()
        raise UnavailableError

    async with running(worker(database, fail)):
        task_id = await queue(database, 1)
        await eventually(lambda: is_running(database, task_id))
        await cancel(database, task_id)
        done = await ended(database, task_id)
    assert (done.status, done.attempt) == (TaskStatus.CANCELLED, 1)


async def test_progress_is_stored_twice_a_second_at_most_when_reported_often(database: Database) -> None:
    seconds: list[float] = []

    async def count(ctx: TaskContext[object], _payload: Sum) -> None:
        started = time.monotonic()
        for done in range(100):
            ctx.report(TaskProgress(done=done, total=100, unit="rows"))
            await asyncio.sleep(0.005)
        seconds.append(time.monotonic() - started)

    async with running(worker(database, count)):
        done = await ended(database, await queue(database, 1))
    assert done.progress == TaskProgress(done=99, total=100, unit="rows")
    stored = done.version - 3  # it was queued, claimed and ended
    assert 1 <= stored <= seconds[0] / execution_module.PROGRESS_SECONDS + 1


async def test_progress_is_stored_when_it_comes_from_another_thread(database: Database) -> None:
    async def count(ctx: TaskContext[object], _payload: Sum) -> None:
        progress = TaskProgress(done=1, unit="files", message="half \x00 done")
        thread = threading.Thread(target=ctx.report, args=[progress])
        thread.start()
        await asyncio.sleep(0.3)
        thread.join()
        ctx.report(TaskProgress(done=2, unit="files"))
        await ctx.cancelled.wait()

    async with running(worker(database, count)):
        task_id = await queue(database, 1)
        await eventually(lambda: _progress_is(database, task_id, 2))


async def _progress_is(database: Database, task_id: str, done: int) -> bool:
    progress = (await read(database, task_id)).progress
    return progress is not None and progress.done == done


async def test_effects_and_new_tasks_commit_together_when_a_handler_writes(database: Database) -> None:
    async def chain(ctx: TaskContext[object], payload: Sum) -> None:
        async with ctx.transaction() as session:
            if payload.numbers:
                await enqueue(session, SUM, Sum(numbers=payload.numbers[1:]), created_by=ctx.created_by)

    async with running(worker(database, chain)):
        await queue(database, 1, 2, 3)
        await eventually(lambda: _all_succeeded(database, 4))


async def _all_succeeded(database: Database, number: int) -> bool:
    async with database.reader() as session:
        found = await session.scalar(select(func.count()).where(TaskRow.status == "succeeded"))
    return found == number


async def test_transaction_is_refused_when_another_worker_has_the_task(database: Database) -> None:
    outcome: list[BaseException] = []

    async def zombie(ctx: TaskContext[object], _payload: Sum) -> None:
        async with ctx.transaction() as session:  # as a second worker's claim would
            await session.execute(update(TaskRow).values(fence=TaskRow.fence + 1))
        try:
            async with ctx.transaction():
                pass
        except TaskFencedError as error:
            outcome.append(error)
            raise

    async with running(worker(database, zombie)):
        task_id = await queue(database, 1)
        await eventually(lambda: bool(outcome))
    assert (await read(database, task_id)).error is None


async def test_handler_is_stopped_when_its_lease_is_taken_away(database: Database) -> None:
    stopped = asyncio.Event()

    async def endless(_ctx: TaskContext[object], _payload: Sum) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with running(worker(database, endless, settings=ONE_AT_A_TIME)):
        task_id = await queue(database, 1)
        await eventually(lambda: is_running(database, task_id))
        async with database.transaction() as session:
            await session.execute(update(TaskRow).values(fence=TaskRow.fence + 1))
        await asyncio.wait_for(stopped.wait(), 3)


async def test_lease_holds_when_the_handler_blocks_the_event_loop(database: Database) -> None:
    async def block(_ctx: TaskContext[object], _payload: Sum) -> None:
        time.sleep(2.5)  # noqa: ASYNC251 - longer than the lease of one second

    rival = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(_reclaim_for(database.url, seconds=3))))
    async with running(worker(database, block)):
        done = await ended(database, await queue(database, 1))
        assert await rival == 0
    assert (done.status, done.attempt) == (TaskStatus.SUCCEEDED, 1)


async def _reclaim_for(url: str, *, seconds: float) -> int:
    """Do what a second worker does about silent ones, from a thread that nothing blocks."""
    database = Database(DatabaseSettings(), url)
    until = time.monotonic() + seconds
    reclaimed = 0
    while time.monotonic() < until:
        reclaimed += await reclaim_expired(database)
        await asyncio.sleep(0.1)
    await database.close()
    return reclaimed


async def test_task_is_put_back_uncounted_when_its_worker_stops(database: Database) -> None:
    stopping = worker(database, wait_for_ever)
    async with running(stopping):
        task_id = await queue(database, 1)
        await eventually(lambda: is_running(database, task_id))
    put_back = await read(database, task_id)
    assert (put_back.status, put_back.attempt) == (TaskStatus.QUEUED, 0)

    async with running(worker(database)):
        assert (await ended(database, task_id)).attempt == 1


async def test_task_is_finished_when_it_ends_soon_after_the_worker_was_told_to_stop(database: Database) -> None:
    async def brief(_ctx: TaskContext[object], _payload: Sum) -> None:
        await asyncio.sleep(0.3)

    async with running(worker(database, brief, stop_grace_seconds=5)):
        task_id = await queue(database, 1)
        await eventually(lambda: is_running(database, task_id))
    assert (await read(database, task_id)).status == TaskStatus.SUCCEEDED


async def test_cancelled_task_ends_when_its_worker_stops(database: Database) -> None:
    async with running(worker(database, wait_for_ever)):
        task_id = await queue(database, 1)
        await eventually(lambda: is_running(database, task_id))
        await cancel(database, task_id)
        await eventually(lambda: _is_cancelling(database, task_id))
    assert (await read(database, task_id)).status == TaskStatus.CANCELLED


async def _is_cancelling(database: Database, task_id: str) -> bool:
    return (await read(database, task_id)).status == TaskStatus.CANCELLING


async def test_tasks_run_when_no_notification_arrives(database: Database) -> None:
    async with running(worker(database)):
        await asyncio.sleep(0.1)
        async with database.transaction() as session:
            await session.execute(
                text(
                    "INSERT INTO platform.task (id, kind, queue, priority, payload, max_attempts, created_by)"
                    " VALUES (gen_random_uuid(), 'workshop.sum', 'default', 0, '{}', 3, '7')"
                )
            )
        await eventually(lambda: _all_succeeded(database, 1), within_seconds=2)


def test_worker_is_refused_when_two_handlers_are_for_one_kind() -> None:
    both = [BoundTask(task(SUM)(add), None), BoundTask(task(SUM)(wait_for_ever), None)]
    with pytest.raises(ConfigurationError, match=r"same kind of task: workshop\.sum"):
        TaskWorker(Database(DatabaseSettings(), "postgresql:///nowhere"), both, QUICK)
