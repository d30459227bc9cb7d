"""Tasks as people see them: their own, everybody's for administrators, and live."""

import asyncio

import pytest
from pydantic import BaseModel

from datamate.core.ids import new_id
from datamate.platform.tasks import TaskKind, enqueue, request_cancel
from datamate.platform.tasks.models import TaskRow
from factories.calls import Caller, principal

ADA, BOB = 1, 2


class Payload(BaseModel):
    number: int = 0


COPY = TaskKind("test.copy", Payload)
COUNT = TaskKind("test.count", Payload)


@pytest.fixture
def ada(app):
    return Caller(app, principal("EDITOR", ADA))


@pytest.fixture
def bob(app):
    return Caller(app, principal("EDITOR", BOB))


@pytest.fixture
def queue(database):
    async def add(kind=COPY, owner=ADA):
        async with database.transaction() as session:
            return await enqueue(session, kind, Payload(), created_by=str(owner))

    return add


async def ids(caller, target="/tasks"):
    answer = await caller("GET", target)
    assert answer.status == 200, answer
    return [task["id"] for task in answer.json["items"]]


async def test_users_see_their_own_and_administrators_all_when_listed(ada, bob, admin, queue):
    hers, his = await queue(owner=ADA), await queue(owner=BOB)
    assert await ids(ada) == [hers]
    assert await ids(bob) == [his]
    assert await ids(admin) == [his, hers]


async def test_list_is_narrowed_when_filters_are_given(ada, queue):
    copy, count = await queue(COPY), await queue(COUNT)
    await ada("POST", f"/tasks/{copy}/cancel")
    assert await ids(ada, "/tasks?status=cancelled") == [copy]
    assert await ids(ada, "/tasks?kind=test.count") == [count]
    assert await ids(ada, "/tasks?kind=test.count&status=cancelled") == []


async def test_pages_hold_each_task_once_when_read_by_cursor(ada, queue):
    expected = [await queue() for _ in range(5)][::-1]
    seen, target = [], "/tasks?limit=2"
    while target:
        page = (await ada("GET", target)).json
        seen += [task["id"] for task in page["items"]]
        target = f"/tasks?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert seen == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("kind=A%20b", "kind"),
        (f"kind={'k' * 101}", "kind"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=x", "cursor"),
        ("kind=%00", "kind"),
    ],
)
async def test_problem_names_the_parameter_when_it_does_not_fit(ada, query, field):
    answer = await ada("GET", f"/tasks?{query}")
    assert (answer.status, answer.fields) == (422, [field])


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("POST", "/cancel"), ("GET", "/events")])
async def test_answer_is_the_same_when_a_task_is_foreign_or_absent(ada, bob, queue, method, suffix):
    foreign, absent = await queue(owner=ADA), new_id()
    answers = [await bob(method, f"/tasks/{task_id}{suffix}") for task_id in (foreign, absent)]
    problems = [{**answer.json, "trace_id": ""} for answer in answers]
    problems[0]["detail"] = problems[0]["detail"].replace(foreign, absent)
    assert problems[0] == problems[1]
    assert (problems[0]["status"], problems[0]["code"]) == (404, "task_not_found")
    assert (await ada("GET", f"/tasks/{foreign}")).json["status"] == "queued"


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("POST", "/cancel"), ("GET", "/events")])
@pytest.mark.parametrize("task_id", ["1", "task", "%00", "..", "0" * 33])
async def test_problem_names_the_id_when_it_is_none(ada, method, suffix, task_id):
    answer = await ada(method, f"/tasks/{task_id}{suffix}")
    assert answer.status == 422
    assert answer.fields in (["task_id"], ["path"])


async def test_task_ends_when_cancelled_and_stays_so_when_cancelled_again(ada, queue):
    task_id = await queue()
    first, second = [await ada("POST", f"/tasks/{task_id}/cancel") for _ in range(2)]
    assert (first.status, first.json["status"]) == (200, "cancelled")
    assert second.json == first.json


async def test_administrator_cancels_a_task_of_another(admin, queue):
    task_id = await queue(owner=ADA)
    assert (await admin("POST", f"/tasks/{task_id}/cancel")).json["status"] == "cancelled"


async def test_stream_tells_every_change_and_ends_when_the_task_does(ada, database, queue):
    task_id = await queue()
    async with asyncio.timeout(10), ada.events(f"/tasks/{task_id}/events") as events:
        first = await anext(events)
        assert (first.event, first.id, '"status":"queued"' in first.data) == ("task", "1", True)
        async with database.transaction() as session:
            await request_cancel(session, task_id)
        last = await anext(events)
        assert (last.event, last.id, '"status":"cancelled"' in last.data) == ("task", "2", True)
        assert [event async for event in events] == []


async def test_stream_resumes_after_the_last_event_when_reconnected(ada, database, queue):
    task_id = await queue()
    async with database.transaction() as session:
        row = await session.get(TaskRow, task_id)
        row.version = 5
    async with asyncio.timeout(10), ada.events(f"/tasks/{task_id}/events", last_event_id="4") as events:
        assert (await anext(events)).id == "5"
    async with ada.events(f"/tasks/{task_id}/events", last_event_id="5") as events:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.6):
                await anext(events)


@pytest.mark.parametrize("last_event_id", ["", "x", "-1", "1e9", "\xb2"])
async def test_stream_starts_over_when_the_last_event_is_none_of_ours(ada, queue, last_event_id):
    task_id = await queue()
    async with asyncio.timeout(10), ada.events(f"/tasks/{task_id}/events", last_event_id=last_event_id) as events:
        assert (await anext(events)).id == "1"


async def test_reader_is_told_not_to_come_back_when_it_saw_the_end(ada, queue):
    task_id = await queue()
    ended = (await ada("POST", f"/tasks/{task_id}/cancel")).json
    answer = await ada("GET", f"/tasks/{task_id}/events", last_event_id=str(ended["version"]))
    assert (answer.status, answer.body) == (204, b"")
