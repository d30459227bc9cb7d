"""Recipes over datasets: every row is kept, dropped or quarantined, and can be read back."""

import json
import secrets

import pytest

from datamate.contracts.main.tasks import TaskStatus
from datamate.contracts.runtime.runs import RunStatus
from datamate.core.errors import ConflictError, InvalidInputError, NotFoundError
from datamate.sdk.runs import RunFailedError
from e2e.http_calls import call, get_token

RECIPE = """
process:
  - clean_email_mapper:
  - whitespace_normalization_mapper:
  - text_length_filter:
      min_len: 10
  - document_deduplicator:
"""
KEPT, SHORT, REPEATED, BROKEN = 200, 30, 20, 4
ROWS_IN = KEPT + SHORT + REPEATED + BROKEN


@pytest.fixture
def name() -> str:
    return f"runs {secrets.token_hex(4)}"


@pytest.fixture
def messy(admin, name, tmp_path):
    """A dataset of known rows."""
    rows = [
        json.dumps({"text": f"row {number}: write to ann{number}@example.org", "n": number}) for number in range(KEPT)
    ]
    rows += [json.dumps({"text": f"{number}"}) for number in range(SHORT)]
    rows += [json.dumps({"text": "the same line over and over again"})] * (REPEATED + 1)
    del rows[KEPT - 1]
    broken = [
        b'{"text": "cut short',
        b'{"text": null}',
        b'{"title": "no text"}',
        b'{"text": "caf\xe9 au lait, please"}',
    ]
    lines = [row.encode() for row in rows]
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\n".join([*lines[:50], *broken, *lines[50:]]) + b"\n")
    dataset = admin.datasets.create(name)
    admin.datasets.upload(dataset, file)
    return dataset


def output_rows(admin, run, folder) -> list[dict[str, object]]:
    admin.datasets.download(run.output_dataset_id, folder, version=run.output_version)
    return [json.loads(line) for file in sorted(folder.rglob("*.jsonl")) for line in file.read_text().splitlines()]


def test_every_row_is_accounted_for_when_run_succeeds(admin, messy, name, tmp_path):
    run = admin.runs.create(RECIPE, messy, output_name=f"{name} clean")
    states = []
    summary = admin.runs.wait(run.id, on_progress=lambda state: states.append(state.status))
    assert (summary.rows_in, summary.kept, summary.dropped, summary.quarantined) == (
        ROWS_IN, KEPT, SHORT + REPEATED, BROKEN,
    )  # fmt: skip
    assert summary.dropped_by == {"text_length_filter": SHORT, "document_deduplicator": REPEATED}
    assert states[-1] is RunStatus.SUCCEEDED
    assert states == sorted(states, key=["queued", "running", "succeeded"].index)
    rows = output_rows(admin, admin.runs.get(run.id), tmp_path / "out")
    assert len(rows) == KEPT
    assert not any("example.org" in str(row["text"]) for row in rows)


def test_rejected_rows_are_read_back_when_run_has_ended(admin, messy):
    run = admin.runs.create(RECIPE, messy)
    admin.runs.wait(run.id)
    quarantined = list(admin.runs.quarantined(run.id))
    assert [(row.source, row.ordinal) for row in quarantined] == [("rows.jsonl", 50 + place) for place in range(BROKEN)]
    assert quarantined[0].raw == '{"text": "cut short'
    assert quarantined[3].raw_encoding == "base64"
    assert all(row.message and row.code for row in quarantined)
    dropped = list(admin.runs.dropped(run.id))
    assert len(dropped) == SHORT + REPEATED
    assert {row.operator for row in dropped} == {"text_length_filter", "document_deduplicator"}
    assert next(row for row in dropped if row.operator == "text_length_filter").value < 10
    changed = admin.runs.samples(run.id)
    assert any("example.org" in row.before and "example.org" not in row.after for row in changed)


def test_new_version_names_its_origin_when_run_succeeds(admin, messy, name):
    run = admin.runs.create(RECIPE, messy, output_name=f"{name} clean", output_format="parquet")
    admin.runs.wait(run.id)
    ended = admin.runs.get(run.id)
    [version] = admin.datasets.versions(f"{name} clean")
    assert (version.version, version.source_run_id) == (ended.output_version, run.id)
    [edge] = admin.datasets.lineage(f"{name} clean").edges
    assert (edge.source.dataset_id, edge.source.version, edge.run_id) == (messy.id, 1, run.id)
    assert all(file.path.endswith(".parquet") for file in admin.datasets.files(f"{name} clean"))


def test_own_dataset_gets_a_version_when_no_output_is_named(admin, messy):
    run = admin.runs.create(RECIPE, messy)
    admin.runs.wait(run.id)
    assert (admin.runs.get(run.id).output_dataset_id, admin.datasets.get(messy).version) == (messy.id, 2)


def test_task_tells_the_same_when_run_is_carried_out(admin, messy):
    run = admin.runs.create(RECIPE, messy)
    *_, task = admin.tasks.watch(run.task_id)
    assert task.status is TaskStatus.SUCCEEDED
    assert run.task_id in [item.id for item in admin.tasks.list(kind=task.kind)]


def test_events_resume_when_reader_saw_some(site, admin, messy):
    run = admin.runs.create(RECIPE, messy)
    admin.runs.wait(run.id)
    token = get_token(site, site.username, site.password)
    path = f"/api/v1/runtime/runs/{run.id}/events"
    stream = call(site, "GET", path, token=token)
    assert stream.headers["content-type"].startswith("text/event-stream")
    fields = dict(line.split(": ", 1) for line in stream.body.decode().strip().splitlines() if ": " in line)
    assert json.loads(fields["data"])["status"] == "succeeded"
    assert call(site, "GET", path, token=token, Last_Event_ID=fields["id"]).status == 204


def test_run_stops_when_cancelled(admin, name, tmp_path):
    big = tmp_path / "big.jsonl"
    line = json.dumps({"text": "some words that are repeated, but not the same in each row: NUMBER " * 20})
    big.write_text("".join(line.replace("NUMBER", str(number)) + "\n" for number in range(40_000)))
    dataset = admin.datasets.create(name)
    admin.datasets.upload(dataset, big)
    run = admin.runs.create(RECIPE, dataset)
    for state in admin.runs.watch(run.id):
        if state.status is RunStatus.RUNNING:
            admin.runs.cancel(run.id)
            break
    with pytest.raises(RunFailedError, match="cancelled"):
        admin.runs.wait(run.id)
    assert admin.datasets.get(dataset).version == 1


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("process:\n  - text_lenght_filter:\n", "text_length_filter"),
        ("process:\n  - text_length_filter:\n      min_len: -5\n", "min_len"),
        ("process:\n  - text_length_filter:\n      min_length: 5\n", "min_len"),
        ("process: [", "YAML"),
        ("proces:\n  - text_length_filter:\n", "process"),
    ],
)
def test_recipe_is_refused_with_its_place_when_wrong(site, admin, messy, recipe, words):
    with pytest.raises(InvalidInputError, match=words):
        admin.runs.create(recipe, messy)
    token = get_token(site, site.username, site.password)
    body = {"recipe": recipe, "dataset_id": messy.id}
    call(site, "POST", "/api/v1/runtime/runs", body, token=token).problem(422)


def test_run_is_refused_when_there_is_nothing_to_read(admin, name, messy):
    empty = admin.datasets.create(f"{name} empty")
    with pytest.raises(ConflictError, match="upload files first"):
        admin.runs.create(RECIPE, empty)
    with pytest.raises(NotFoundError):
        admin.runs.create(RECIPE, messy, version=9)


def test_reason_is_plain_when_column_is_missing(admin, name, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("title,body\na,b\n")
    dataset = admin.datasets.create(name)
    admin.datasets.upload(dataset, table)
    run = admin.runs.create(RECIPE, dataset)
    with pytest.raises(RunFailedError, match="text"):
        admin.runs.wait(run.id)
    assert admin.runs.get(run.id).error is not None


def test_runs_of_others_are_hidden_when_listed(admin, editor, messy):
    run = admin.runs.create(RECIPE, messy)
    admin.runs.wait(run.id)
    assert run.id in [item.id for item in admin.runs.list(dataset=messy)]
    assert run.id not in [item.id for item in editor.runs.list()]
    with pytest.raises(NotFoundError):
        editor.runs.get(run.id)
