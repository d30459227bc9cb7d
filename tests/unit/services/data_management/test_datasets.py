"""Datasets over HTTP: making, changing, listing and deleting them."""

import asyncio

import pytest
from sqlalchemy import text

from factories.calls import principal
from factories.datasets import ROOT, DatasetCalls

DATASETS = f"{ROOT}/datasets"


async def test_a_new_dataset_is_empty(calls):
    answer = await calls("POST", DATASETS, {"name": " books ", "description": "old ones", "tags": ["b", "a", "b"]})
    assert answer.status == 201
    made = answer.json
    assert made["name"] == "books"
    assert (made["version"], made["file_count"], made["size_bytes"]) == (0, 0, 0)
    assert (made["type"], made["status"], made["created_by"]) == ("text", "active", "7")
    assert made["tags"] == ["a", "b"]
    assert await calls.dataset(made["id"]) == made
    assert (await calls("GET", f"{DATASETS}/{made['id']}/files")).json == {"items": [], "next_cursor": None, "total": 0}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a", "type": "cake"}, "type"),
        ({"name": "a", "owner": "me"}, "owner"),
        ({"name": "a", "tags": ["t"] * 101}, "tags"),
    ],
)
async def test_a_dataset_is_refused_when_a_field_is_wrong(calls, body, field):
    answer = await calls("POST", DATASETS, body)
    assert answer.status == 422
    assert answer.fields == [field]


async def test_names_are_unique_until_the_dataset_is_deleted(calls):
    first = await calls.create("books")
    taken = await calls("POST", DATASETS, {"name": "books"})
    assert (taken.status, taken.json["code"], taken.fields) == (409, "dataset_name_taken", ["name"])
    assert (await calls("DELETE", f"{DATASETS}/{first}")).status == 204
    assert await calls.create("books") != first


async def test_one_of_two_wins_when_both_make_the_same_name(calls):
    answers = await asyncio.gather(*(calls("POST", DATASETS, {"name": "race"}) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]


async def test_changes_are_seen_at_once_although_reads_are_cached(calls, dataset):
    assert (await calls.dataset(dataset))["name"] == "books"
    changed = await calls("PATCH", f"{DATASETS}/{dataset}", {"name": "novels", "tags": ["x"]})
    assert changed.status == 200
    assert (await calls.dataset(dataset))["name"] == "novels"
    changed = await calls("PATCH", f"{DATASETS}/{dataset}", {"description": "d", "tags": ["x", "y"]})
    found = await calls.dataset(dataset)
    assert (found["name"], found["description"], found["tags"]) == ("novels", "d", ["x", "y"])
    await calls.put(dataset, "a.txt", b"abc")
    found = await calls.dataset(dataset)
    assert (found["version"], found["file_count"], found["size_bytes"]) == (1, 1, 3)


async def test_a_rename_is_refused_when_the_name_is_taken(calls, dataset):
    await calls.create("novels")
    refused = await calls("PATCH", f"{DATASETS}/{dataset}", {"name": "novels", "description": "new"})
    assert (refused.status, refused.fields) == (409, ["name"])
    assert (await calls.dataset(dataset))["description"] == ""


async def test_only_the_owner_or_an_administrator_deletes(app, calls, dataset):
    other = DatasetCalls(app, principal("EDITOR", 8))
    refused = await other("DELETE", f"{DATASETS}/{dataset}")
    assert (refused.status, refused.json["code"]) == (403, "not_owner")
    assert (await DatasetCalls(app, principal("ADMIN", 1))("DELETE", f"{DATASETS}/{dataset}")).status == 204
    for target in ("", "/files", "/versions", "/versions/1", "/versions/1/diff", "/versions/1/lineage"):
        assert (await calls("GET", f"{DATASETS}/{dataset}{target}")).json["code"] == "dataset_not_found"
    assert (await calls("DELETE", f"{DATASETS}/{dataset}")).status == 404
    assert (await calls("PATCH", f"{DATASETS}/{dataset}", {"name": "x"})).status == 404
    assert (await calls.try_put(dataset, "a", b"x")).status == 404


async def test_datasets_are_listed_newest_first_page_by_page(calls):
    made = [await calls.create(f"d{number}", tags=["even"] if number % 2 == 0 else []) for number in range(7)]
    listed = await calls.pages(DATASETS, limit=3)
    assert [item["id"] for item in listed] == made[::-1]
    assert [item["tags"] for item in listed] == [["even"], [], ["even"], [], ["even"], [], ["even"]]
    tagged = await calls.pages(DATASETS, limit=3, tag="even")
    assert [item["id"] for item in tagged] == made[::-2]
    assert await calls.pages(DATASETS, tag="none") == []
    assert await calls.pages(DATASETS, type="image") == []
    assert len(await calls.pages(DATASETS, type="text", created_by="7")) == 7
    assert await calls.pages(DATASETS, created_by="8") == []


@pytest.mark.parametrize("query", ["cursor=x", "cursor=WzFd", "limit=0", "limit=1001", "type=cake"])
async def test_a_list_is_refused_when_its_query_is_wrong(calls, query):
    answer = await calls("GET", f"{DATASETS}?{query}")
    assert answer.status == 422
    assert answer.fields == [query.partition("=")[0]]


async def test_statistics_are_the_sum_of_what_happened(calls, dataset):
    other = await calls.create("other")
    await calls.put(dataset, "a", b"12345")
    await calls.put(dataset, "a", b"123")
    await calls.put(other, "b", b"1")
    assert (await calls("GET", f"{ROOT}/statistics")).json == {"dataset_count": 2, "file_count": 2, "size_bytes": 4}
    await calls("DELETE", f"{DATASETS}/{other}")
    assert (await calls("GET", f"{ROOT}/statistics")).json == {"dataset_count": 1, "file_count": 1, "size_bytes": 3}


async def test_what_happens_to_a_dataset_is_published_in_order(calls, database, dataset):
    await calls("PATCH", f"{DATASETS}/{dataset}", {"name": "novels"})
    await calls.put(dataset, "a", b"1")
    await calls("DELETE", f"{DATASETS}/{dataset}")
    async with database.reader() as session:
        rows = await session.execute(
            text("SELECT topic, aggregate_version FROM platform.outbox WHERE aggregate_id = :id ORDER BY 2"),
            {"id": dataset},
        )
        assert [tuple(row) for row in rows] == [
            ("dataset.changed", 1),
            ("dataset.changed", 2),
            ("dataset.version_published", 3),
            ("dataset.changed", 4),
        ]


READS = (
    ("GET", "/datasets"),
    ("GET", "/datasets/{d}"),
    ("GET", "/datasets/{d}/files"),
    ("GET", "/datasets/{d}/versions"),
    ("GET", "/datasets/{d}/versions/1"),
    ("GET", "/datasets/{d}/versions/1/diff"),
    ("GET", "/datasets/{d}/versions/1/lineage"),
    ("GET", "/tags"),
    ("GET", "/statistics"),
)
WRITES = (
    ("POST", "/datasets"),
    ("PATCH", "/datasets/{d}"),
    ("DELETE", "/datasets/{d}"),
    ("PUT", "/datasets/{d}/files?path=a"),
    ("POST", "/datasets/{d}/files"),
    ("POST", "/datasets/{d}/files/delete"),
    ("PATCH", "/datasets/{d}/files/0197a3b4-0000-7000-8000-000000000000"),
    ("DELETE", "/datasets/{d}/files/0197a3b4-0000-7000-8000-000000000000"),
    ("POST", "/datasets/{d}/versions"),
    ("POST", "/uploads"),
    ("PUT", "/tags"),
    ("DELETE", "/tags?name=x"),
)


async def test_viewers_read_and_change_nothing(app, calls, dataset):
    await calls.put(dataset, "a", b"1")
    viewer = DatasetCalls(app, principal("VIEWER", 9))
    for method, target in READS:
        assert (await viewer(method, ROOT + target.format(d=dataset))).status == 200, target
    for method, target in WRITES:
        assert (await viewer(method, ROOT + target.format(d=dataset), {})).status == 403, target


@pytest.mark.parametrize("tail", ["/versions/1/manifest", "/versions"])
async def test_users_cannot_call_what_only_parts_of_datamate_may(calls, dataset, tail):
    method = "POST" if tail == "/versions" else "GET"
    answer = await calls(method, f"{DATASETS}/{dataset}{tail}", {"source_run_id": "r", "files": []})
    assert answer.status == 403
    assert "parts of DataMate" in answer.json["detail"]
