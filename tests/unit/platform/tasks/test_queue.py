"""Queueing, listing and cancelling tasks: everything that happens without a worker."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import select

from datamate.contracts.main.tasks import TaskStatus
from datamate.core.errors import InvalidInputError
from datamate.platform.db import Database
from datamate.platform.db.outbox import OutboxRow
from datamate.platform.tasks import (
    TaskFilter,
    TaskKind,
    TaskNotFoundError,
    enqueue,
    list_tasks,
    request_cancel,
    wait_for_change,
)
from datamate.platform.tasks.errors import TaskKeyReusedError
from factories.tasks import SUM, Sum, queue, read

MISSING = "0198c0de-0000-7000-8000-000000000000"


async def topics(database: Database) -> list[str]:
    async with database.reader() as session:
        return list(await session.scalars(select(OutboxRow.topic).order_by(OutboxRow.id)))


async def test_task_and_its_event_exist_together_when_the_transaction_commits(database: Database) -> None:
    task_id = await queue(database, 1, 2)

    task = await read(database, task_id)
    assert (task.kind, task.status, task.attempt, task.version) == ("workshop.sum", TaskStatus.QUEUED, 0, 1)
    assert task.payload == {"numbers": [1, 2]}
    assert await topics(database) == ["task.created"]


async def test_neither_task_nor_event_exists_when_the_transaction_rolls_back(database: Database) -> None:
    with suppress(RuntimeError):
        async with database.transaction() as session:
            await enqueue(session, SUM, Sum(), created_by="7")
            raise RuntimeError
    async with database.reader() as session:
        assert (await list_tasks(session, TaskFilter())).items == []
    assert await topics(database) == []


async def test_first_task_is_returned_when_the_key_is_repeated(database: Database) -> None:
    ids = await asyncio.gather(*(queue(database, 1, key="once") for _ in range(10)))
    assert len(set(ids)) == 1
    assert await topics(database) == ["task.created"]


async def test_key_is_refused_when_it_stands_for_other_input(database: Database) -> None:
    await queue(database, 1, key="once")
    with pytest.raises(TaskKeyReusedError, match="'once' already stands for task"):
        await queue(database, 2, key="once")


async def test_text_is_refused_when_postgresql_cannot_store_it(database: Database) -> None:
    with pytest.raises(InvalidInputError, match="NUL"):
        await queue(database, key="a\x00b")


async def test_pages_hold_every_task_once_newest_first_when_listed(database: Database) -> None:
    ids = [await queue(database, number) for number in range(7)]
    seen: list[str] = []
    cursor = None
    while True:
        async with database.reader() as session:
            page = await list_tasks(session, TaskFilter(), cursor=cursor, limit=3)
        seen += [task.id for task in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sorted(ids, reverse=True)


async def test_list_holds_only_what_is_wanted_when_filtered(database: Database) -> None:
    await queue(database, 1)
    other = await queue(database, 1, kind=TaskKind("workshop.other", Sum))
    async with database.reader() as session:
        by_kind = await list_tasks(session, TaskFilter(kind="workshop.other"))
        by_creator = await list_tasks(session, TaskFilter(created_by="somebody else"))
        by_status = await list_tasks(session, TaskFilter(status=TaskStatus.RUNNING))
    assert [task.id for task in by_kind.items] == [other]
    assert by_creator.items == by_status.items == []


async def test_cursor_is_refused_when_it_is_made_up(database: Database) -> None:
    async with database.reader() as session:
        with pytest.raises(InvalidInputError):
            await list_tasks(session, TaskFilter(), cursor="nonsense")


@pytest.mark.parametrize("task_id", [MISSING, "nonsense", "' OR 1=1 --", ""])
async def test_task_is_not_found_when_there_is_none(database: Database, task_id: str) -> None:
    with pytest.raises(TaskNotFoundError):
        await read(database, task_id)
    async with database.transaction() as session:
        with pytest.raises(TaskNotFoundError):
            await request_cancel(session, task_id)


async def test_queued_task_ends_at_once_when_cancelled(database: Database) -> None:
    task_id = await queue(database, 1)
    async with database.transaction() as session:
        cancelled = await request_cancel(session, task_id)
    assert (cancelled.status, cancelled.version) == (TaskStatus.CANCELLED, 2)
    assert cancelled.finished_at is not None
    assert await topics(database) == ["task.created", "task.completed"]

    async with database.transaction() as session:
        assert await request_cancel(session, task_id) == cancelled


async def test_waiting_returns_nothing_when_nothing_changes(database: Database) -> None:
    task_id = await queue(database, 1)
    assert await wait_for_change(database, task_id, after_version=1, timeout_seconds=0.05) is None


async def test_waiting_returns_the_task_when_it_changes(database: Database) -> None:
    task_id = await queue(database, 1)
    waiting = asyncio.create_task(wait_for_change(database, task_id, after_version=1, timeout_seconds=5))
    await asyncio.sleep(0.05)
    async with database.transaction() as session:
        await request_cancel(session, task_id)
    changed = await waiting
    assert changed is not None
    assert changed.status == TaskStatus.CANCELLED
