"""Publishing what a run staged: checked, once, with its lineage."""

import asyncio

import pytest
from blake3 import blake3

from factories.datasets import ROOT, paths


def staged(path: str, key: str, content: bytes, **fields: object) -> dict[str, object]:
    return {
        "path": path,
        "object_key": key,
        "size_bytes": len(content),
        "hash": blake3(content).hexdigest(),
        "media_type": "application/jsonl",
        **fields,
    }


@pytest.fixture
async def request_body(store) -> dict[str, object]:
    contents = {"part-0.jsonl": b"zero", "part-1.jsonl": b"one" * 1_000_000, "same.jsonl": b"zero"}
    for name, content in contents.items():
        await store.put(f"staging/runs/r1/{name}", content)
    files = [staged(name, f"staging/runs/r1/{name}", content) for name, content in contents.items()]
    return {"source_run_id": "r1", "files": files, "message": "cleaned"}


async def test_a_run_replaces_the_files_of_a_dataset(calls, worker, dataset, store, request_body):
    await calls.upload(dataset, {"old": b"x", "part-0.jsonl": b"before"})
    answer = await worker("POST", f"{ROOT}/datasets/{dataset}/versions", request_body)
    assert answer.status == 201
    version = answer.json
    assert (version["version"], version["source_run_id"], version["created_by"]) == (2, "r1", "7")
    assert (version["added"], version["changed"], version["removed"], version["message"]) == (2, 1, 1, "cleaned")
    listed = await calls.files(dataset)
    assert paths(listed) == ["part-0.jsonl", "part-1.jsonl", "same.jsonl"]
    assert await calls.content(dataset, listed[1]["id"]) == b"one" * 1_000_000
    assert listed[0]["media_type"] == "application/jsonl"
    assert len([info async for info in store.list("staging/runs/r1/")]) == 3
    assert len([info async for info in store.list("blobs/")]) == 4


async def test_a_merge_keeps_the_other_files(calls, worker, dataset, request_body):
    await calls.put(dataset, "old", b"x")
    await worker("POST", f"{ROOT}/datasets/{dataset}/versions", request_body | {"mode": "merge"})
    assert paths(await calls.files(dataset)) == ["old", "part-0.jsonl", "part-1.jsonl", "same.jsonl"]


async def test_publishing_again_returns_the_first_version(calls, worker, dataset, store, request_body):
    target = f"{ROOT}/datasets/{dataset}/versions"
    first = await worker("POST", target, request_body)
    await calls.put(dataset, "later", b"x")
    await store.delete([info.key async for info in store.list("staging/")])
    again = await worker("POST", target, request_body)
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    assert (await calls.dataset(dataset))["version"] == 2


async def test_one_version_is_made_when_a_run_publishes_many_times_at_once(calls, worker, dataset, request_body):
    target = f"{ROOT}/datasets/{dataset}/versions"
    answers = await asyncio.gather(*(worker("POST", target, request_body) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    assert all(answer.json == answers[0].json for answer in answers)
    assert (await calls.dataset(dataset))["version"] == 1


async def test_a_run_that_changes_nothing_makes_a_version_all_the_same(calls, worker, dataset, request_body):
    target = f"{ROOT}/datasets/{dataset}/versions"
    first = (await worker("POST", target, request_body)).json
    second = (await worker("POST", target, request_body | {"source_run_id": "r2"})).json
    assert (second["version"], second["added"], second["changed"], second["removed"]) == (2, 0, 0, 0)
    assert second["hash"] == first["hash"]
    nothing = (await worker("POST", target, {"source_run_id": "r3", "files": []})).json
    assert (nothing["version"], nothing["file_count"], nothing["removed"]) == (3, 0, 3)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"hash": blake3(b"other").hexdigest()}, "staged_file_mismatch", "files.1"),
        ({"size_bytes": 1}, "staged_file_mismatch", "files.1"),
        ({"object_key": "staging/runs/r1/absent"}, "staged_file_mismatch", "files.1.object_key"),
        ({"path": "../escape"}, "invalid_path", "files.1.path"),
        ({"path": "part-0.jsonl"}, "invalid_path", "files.1.path"),
        ({"object_key": "blobs/x/y"}, "invalid_input", "files.1.object_key"),
        ({"object_key": "staging/../blobs/x"}, "invalid_input", "key"),
    ],
)
async def test_nothing_is_published_when_one_file_is_not_right(
    calls, worker, dataset, store, request_body, changes, code, field
):
    request_body["files"][1] |= changes
    answer = await worker("POST", f"{ROOT}/datasets/{dataset}/versions", request_body)
    assert (answer.status, answer.json["code"], answer.fields) == (422, code, [field])
    assert (await calls.dataset(dataset))["version"] == 0


async def test_a_known_content_is_refused_when_its_size_is_wrong(calls, worker, dataset, request_body):
    await calls.put(dataset, "known", b"zero")
    request_body["files"][0]["size_bytes"] = 5
    answer = await worker("POST", f"{ROOT}/datasets/{dataset}/versions", request_body)
    assert (answer.status, answer.fields) == (422, ["files.0"])


async def test_lineage_reaches_back_over_runs(calls, worker, store):
    names = ["raw", "clean", "train"]
    made = [await calls.create(name) for name in names]
    await calls.put(made[0], "a", b"raw")
    await calls.put(made[0], "a", b"raw 2")
    for number in (1, 2):
        key = f"staging/runs/{number}/x"
        await store.put(key, b"%d" % number)
        body = {
            "source_run_id": f"run-{number}",
            "files": [staged("x", key, b"%d" % number)],
            "inputs": [{"dataset_id": made[number - 1], "version": 2 if number == 1 else 1}],
        }
        assert (await worker("POST", f"{ROOT}/datasets/{made[number]}/versions", body)).status == 201
    found = (await calls("GET", f"{ROOT}/datasets/{made[2]}/versions/1/lineage")).json
    assert found["version"] == {"dataset_id": made[2], "dataset_name": "train", "version": 1}
    assert [
        (edge["source"]["dataset_name"], edge["source"]["version"], edge["target"]["dataset_name"], edge["run_id"])
        for edge in found["edges"]
    ] == [("clean", 1, "train", "run-2"), ("raw", 2, "clean", "run-1")]
    assert (await calls("GET", f"{ROOT}/datasets/{made[0]}/versions/1/lineage")).json["edges"] == []
    assert (await calls("GET", f"{ROOT}/datasets/{made[0]}/versions/3/lineage")).status == 404


@pytest.mark.parametrize("version", [1, 2])
async def test_lineage_is_refused_when_an_input_does_not_exist(calls, worker, dataset, request_body, version):
    body = request_body | {"inputs": [{"dataset_id": dataset, "version": version}]}
    answer = await worker("POST", f"{ROOT}/datasets/{dataset}/versions", body)
    assert (answer.status, answer.fields) == (422, ["inputs.0"])
    assert (await calls.dataset(dataset))["version"] == 0
