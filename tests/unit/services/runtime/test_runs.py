"""A run reads a version, accounts for every row, and publishes a version with its lineage."""

import json

import pytest

from datamate.contracts.runtime.runs import RunStatus
from datamate.services.runtime.app import create_app
from factories.calls import Caller, principal

LONG = "a text that is long enough"


def rows(*texts: str) -> list[dict[str, str]]:
    return [{"id": str(number), "text": text} for number, text in enumerate(texts)]


async def published(platform, run) -> list[dict[str, str]]:
    files = await platform.datasets.files(run.output_dataset_id, version=run.output_version)
    assert [file["path"] for file in files] == ["data.jsonl"]
    content = await platform.datasets.content(run.output_dataset_id, files[0]["id"], version=run.output_version)
    return [json.loads(line) for line in content.splitlines()]


async def test_run_publishes_what_is_kept_and_accounts_for_the_rest(working):
    dataset = await working.dataset(
        *rows(f"ann@example.org {LONG}, again", "short", LONG, LONG), "{broken", {"text": None}
    )
    run = await working.finished((await working.start(dataset)).id)
    assert (run.status, run.error) == (RunStatus.SUCCEEDED, None)
    summary = run.summary
    assert (summary.rows_in, summary.kept, summary.dropped, summary.quarantined) == (6, 2, 2, 2)
    assert summary.dropped_by == {"text_length_filter": 1, "document_deduplicator": 1}
    assert await published(working, run) == [{"id": "0", "text": f" {LONG}, again"}, {"id": "2", "text": LONG}]


async def test_rows_that_are_gone_can_be_read_back_with_their_reason(working):
    dataset = await working.dataset(*rows(LONG, "short", LONG), "{broken")
    run = await working.finished((await working.start(dataset)).id)
    dropped = (await working.runs("GET", f"/runtime/runs/{run.id}/dropped?limit=1")).json
    further = (await working.runs("GET", f"/runtime/runs/{run.id}/dropped?cursor={dropped['next_cursor']}")).json
    found = [(row["operator"], row["source"], row["ordinal"]) for row in dropped["items"] + further["items"]]
    assert sorted(found) == [("document_deduplicator", "notes.jsonl", 2), ("text_length_filter", "notes.jsonl", 1)]
    assert (dropped["total"], further["next_cursor"]) == (2, None)
    quarantine = (await working.runs("GET", f"/runtime/runs/{run.id}/quarantine")).json
    assert [(row["ordinal"], row["operator"], row["raw"]) for row in quarantine["items"]] == [(3, "reader", "{broken")]


async def test_rows_that_are_not_utf_8_are_read_back_as_base64(working):
    dataset = await working.dataset('{"text": "\udcff"}', {"text": LONG})
    run = await working.finished((await working.start(dataset)).id)
    [row] = (await working.runs("GET", f"/runtime/runs/{run.id}/quarantine")).json["items"]
    assert (row["ordinal"], row["raw_encoding"]) == (0, "base64")


async def test_changed_rows_are_sampled_before_and_after(working):
    dataset = await working.dataset({"text": f"{LONG} ann@example.org"})
    run = await working.finished((await working.start(dataset)).id)
    [sample] = (await working.runs("GET", f"/runtime/runs/{run.id}/samples")).json["items"]
    assert (sample["operator"], sample["before"], sample["after"]) == (
        "clean_email_mapper",
        f"{LONG} ann@example.org",
        f"{LONG} ",
    )


async def test_lineage_names_the_version_that_was_read(working):
    dataset = await working.dataset({"text": LONG})
    run = await working.finished((await working.start(dataset, output_name="clean")).id)
    target = f"/data-management/datasets/{run.output_dataset_id}/versions/{run.output_version}/lineage"
    [edge] = (await working.datasets("GET", target)).json["edges"]
    assert (edge["source"]["dataset_id"], edge["source"]["version"], edge["run_id"]) == (dataset, 1, run.id)


async def test_old_version_is_read_when_the_dataset_moves_on(working):
    dataset = await working.dataset({"text": LONG})
    run = await working.start(dataset, output_name="clean")
    await working.datasets.put(dataset, "notes.jsonl", b'{"text": "something else altogether"}\n')
    run = await working.finished(run.id)
    assert run.version == 1
    assert await published(working, run) == [{"text": LONG}]


async def test_parquet_is_published_when_asked_for(working):
    dataset = await working.dataset({"text": LONG})
    run = await working.finished((await working.start(dataset, output_format="parquet")).id)
    files = await working.datasets.files(run.output_dataset_id, version=run.output_version)
    assert [file["path"] for file in files] == ["data.parquet"]


async def test_nothing_is_left_in_the_scratch_folder_when_a_run_is_done(working):
    dataset = await working.dataset({"text": LONG})
    await working.finished((await working.start(dataset)).id)
    assert list(working.scratch.iterdir()) == []


async def test_run_fails_with_the_reason_when_a_column_is_missing(working):
    dataset = await working.dataset({"content": LONG})
    run = await working.finished((await working.start(dataset)).id)
    assert run.status is RunStatus.FAILED
    assert run.error.code == "missing_column"
    assert "text" in run.error.message


async def test_run_fails_with_the_reason_when_a_file_cannot_be_read(working):
    dataset = await working.datasets.create("pictures")
    await working.datasets.put(dataset, "cat.png", b"\x89PNG")
    run = await working.finished((await working.start(dataset)).id)
    assert (run.status, run.error.code) == (RunStatus.FAILED, "unreadable_input")
    assert "cat.png" in run.error.message


async def test_summary_is_all_zero_when_the_version_has_no_rows(working):
    dataset = await working.datasets.create("empty")
    await working.datasets.put(dataset, "notes.jsonl", b"")
    run = await working.finished((await working.start(dataset)).id)
    assert (run.status, run.summary.rows_in, run.summary.kept) == (RunStatus.SUCCEEDED, 0, 0)


async def test_queued_run_is_cancelled_at_once(platform):
    dataset = await platform.dataset({"text": LONG})
    run = await platform.start(dataset)
    answer = await platform.runs("POST", f"/runtime/runs/{run.id}/cancel")
    assert answer.json["status"] == "cancelled"


async def test_event_stream_tells_every_change_until_the_end(working):
    dataset = await working.dataset({"text": LONG})
    run = await working.start(dataset)
    async with working.runs.events(f"/runtime/runs/{run.id}/events") as events:
        seen = [json.loads(event.data) async for event in events]
    assert seen[-1]["status"] == "succeeded"
    assert [change["revision"] for change in seen] == sorted({change["revision"] for change in seen})
    last = str(seen[-1]["revision"])
    assert (await working.runs("GET", f"/runtime/runs/{run.id}/events", last_event_id=last)).status == 204


@pytest.mark.parametrize(
    ("recipe", "field"),
    [
        ("process: [{clean_emial_mapper: }]", "process.0.clean_emial_mapper"),
        ("process: [{text_length_filter: {min_len: -1}}]", "process.0.min_len"),
        ("process: [{text_length_filter: {min: 1}}]", "process.0.min"),
        ("proces: []", "proces"),
        ("process: 3", "process"),
    ],
)
async def test_recipe_is_refused_before_anything_is_stored(platform, recipe, field):
    dataset = await platform.dataset({"text": LONG})
    answer = await platform.runs("POST", "/runtime/runs", {"recipe": recipe, "dataset_id": dataset})
    assert answer.status == 422
    assert field in answer.fields
    assert (await platform.runs("GET", "/runtime/runs")).json["items"] == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"dataset_id": "nowhere"}, 404),
        ({"version": 9}, 404),
        ({"version": 0}, 422),
        ({"output_dataset_id": "nowhere"}, 404),
        ({"output_dataset_id": "x", "output_name": "y"}, 422),
        ({"output_format": "xlsx"}, 422),
        ({"created_by": "1"}, 422),
        ({"recipe": ""}, 422),
    ],
)
async def test_request_is_refused_when_a_field_does_not_fit(platform, fields, status):
    dataset = await platform.dataset({"text": LONG})
    body = {"recipe": "process: []", "dataset_id": dataset, **fields}
    assert (await platform.runs("POST", "/runtime/runs", body)).status == status


async def test_run_is_refused_when_the_dataset_has_no_version(platform):
    dataset = await platform.datasets.create("empty")
    answer = await platform.runs("POST", "/runtime/runs", {"recipe": "process: []", "dataset_id": dataset})
    assert (answer.status, answer.json["code"]) == (409, "dataset_empty")


async def test_runs_of_others_cannot_be_seen_unless_one_manages_tasks(platform):
    dataset = await platform.dataset({"text": LONG})
    run = await platform.start(dataset)
    app = create_app(platform.resources)
    stranger, administrator = Caller(app, principal("EDITOR", 8)), Caller(app, principal("ADMIN", 1))
    for target in ("", "/events", "/samples", "/quarantine", "/dropped"):
        assert (await stranger("GET", f"/runtime/runs/{run.id}{target}")).status == 404
    assert (await stranger("POST", f"/runtime/runs/{run.id}/cancel")).status == 404
    assert (await stranger("GET", "/runtime/runs")).json["items"] == []
    assert (await administrator("GET", f"/runtime/runs/{run.id}")).status == 200


async def test_viewer_may_not_start_a_run(platform):
    dataset = await platform.dataset({"text": LONG})
    viewer = Caller(create_app(platform.resources), principal("VIEWER", 9))
    answer = await viewer("POST", "/runtime/runs", {"recipe": "process: []", "dataset_id": dataset})
    assert answer.status == 403


async def test_list_is_paged_newest_first(platform):
    dataset = await platform.dataset({"text": LONG})
    made = [(await platform.start(dataset)).id for _ in range(3)]
    first = (await platform.runs("GET", "/runtime/runs?limit=2")).json
    second = (await platform.runs("GET", f"/runtime/runs?limit=2&cursor={first['next_cursor']}")).json
    assert [run["id"] for run in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None
