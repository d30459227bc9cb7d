"""Whole runs over real files with real worker processes."""

import gzip
import json
from itertools import pairwise
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datamate.core.errors import InvalidInputError, StorageFullError
from datamate.engine.errors import (
    BadRowError,
    MissingColumnError,
    OutputExistsError,
    OutputNotWritableError,
    RecipeError,
    RunCancelledError,
    RunConflictError,
    TooManyBadRowsError,
    UnreadableInputError,
)
from datamate.engine.ledger import read_quarantine, read_rows
from datamate.engine.recipe import parse_recipe
from datamate.engine.run import RunOptions, Watch, preview_recipe

CLEAN = "[clean_email_mapper, {text_length_filter: {min_len: 4}}, document_deduplicator]"


def details(summary) -> Path:
    return Path(summary.details_path)


def fates(summary) -> list[tuple[object, ...]]:
    return sorted(read_rows(details(summary)).select("source", "ordinal", "outcome", "operator", "metric").rows())


def check_account(summary) -> None:
    assert summary.kept + summary.dropped + summary.quarantined == summary.rows_in
    rows = read_rows(details(summary))
    assert len(rows) == summary.rows_in
    assert rows.select("source", "ordinal").n_unique() == summary.rows_in
    found = dict(rows.group_by("outcome").len().rows())
    assert found.get("kept", 0) == summary.kept
    assert found.get("dropped", 0) == summary.dropped == sum(summary.dropped_by.values())
    assert found.get("quarantined", 0) == summary.quarantined == len(list(read_quarantine(details(summary))))


def test_every_row_is_accounted_for_when_rows_are_kept_dropped_and_bad(run, write_rows, read_rows, tmp_path):
    source = write_rows(
        [
            {"id": 0, "text": "first a@b.cd"},
            {"id": 1, "text": "abc"},
            b"{broken",
            {"id": 3, "text": "twice"},
            {"id": 4, "text": None},
            {"id": 5, "text": " twice\n"},
            {"id": 6, "text": "first "},
            b"\xff",
        ]
    )
    summary = run(source, CLEAN, partition_bytes=40)
    assert summary.partitions > 3
    assert read_rows(tmp_path / "out.jsonl") == [{"id": 0, "text": "first "}, {"id": 3, "text": "twice"}]
    assert (summary.rows_in, summary.kept, summary.dropped, summary.quarantined) == (8, 2, 3, 3)
    assert summary.dropped_by == {"text_length_filter": 1, "document_deduplicator": 2}
    check_account(summary)
    assert fates(summary) == [
        ("in.jsonl", 0, "kept", None, None),
        ("in.jsonl", 1, "dropped", "text_length_filter", "text_len"),
        ("in.jsonl", 2, "quarantined", "reader", "bad_json"),
        ("in.jsonl", 3, "kept", None, None),
        ("in.jsonl", 4, "quarantined", "reader", "null_text"),
        ("in.jsonl", 5, "dropped", "document_deduplicator", "duplicate"),
        ("in.jsonl", 6, "dropped", "document_deduplicator", "duplicate"),
        ("in.jsonl", 7, "quarantined", "reader", "invalid_utf8"),
    ]
    bad = list(read_quarantine(details(summary)))
    assert [(row["ordinal"], row["raw"]) for row in bad] == [
        (2, b"{broken"),
        (4, b'{"id": 4, "text": null}'),
        (7, b"\xff"),
    ]
    assert [(count.rows_in, count.changed, count.dropped) for count in summary.operators] == [
        (5, 1, 0),
        (5, 0, 1),
        (4, 0, 2),
    ]
    (sample,) = summary.samples
    assert (sample.ordinal, sample.before, sample.after) == (0, "first a@b.cd", "first ")
    assert json.loads((details(summary) / "summary.json").read_text())["kept"] == 2
    assert not (details(summary) / "parts").exists()


ROWS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"text": st.text(max_size=8), "n": st.integers() | st.text(max_size=3)}),
        st.just({"text": "same text"}),
        st.sampled_from([b"", b"{", b"[]", b"\xff", b'{"text": 1}', b"{}", b'{"text": null}']),
    ),
    max_size=30,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, partition_bytes=st.integers(1, 300))
def test_output_and_account_are_the_same_when_the_input_is_cut_anyhow(run, write_rows, tmp_path, rows, partition_bytes):
    # Without one good row, the column itself would be missing, and nothing would run.
    rows = [*rows, {"text": "one good row"}]
    source = write_rows(rows)
    whole = run(source, CLEAN, out="whole.jsonl", overwrite=True)
    cut = run(source, CLEAN, out="cut.jsonl", overwrite=True, partition_bytes=partition_bytes)
    check_account(cut)
    assert fates(cut) == fates(whole)
    assert (tmp_path / "cut.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    kept = read_rows(details(cut)).filter(pl.col("outcome") == "kept")["ordinal"].to_list()
    assert kept == sorted(kept)
    assert cut.rows_in == sum(1 for row in rows if row != b"")


def test_other_columns_are_untouched_when_texts_change_and_types_drift(run, tmp_path):
    lines = [
        '{"id": 1, "n": 1.10, "text": "a@b.cd one"}',
        '{"id": "x", "n": 123456789012345678901234567890, "text": "a@b.cd two", "more": {"text": ["n", 1e400]}}',
        '{ "text" : "thr\\u00e9e" , "id":null}',
        '{"id": [1, {"text": "no"}], "text": "a@b.cd \\"four\\"\\n", "z": -0.0}',
    ]
    (tmp_path / "in.jsonl").write_text("".join(f"{line}\r\n" for line in lines))
    run(tmp_path / "in.jsonl", "[clean_email_mapper]", partition_bytes=60)
    assert (tmp_path / "out.jsonl").read_text().splitlines() == [line.replace("a@b.cd", "") for line in lines]


def test_order_is_that_of_the_files_when_there_are_several(run, tmp_path, read_rows):
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("b.jsonl", "a.jsonl", "c.jsonl.gz"):
        lines = b"".join(b'{"text": "%s %d"}\n' % (name.encode(), number) for number in range(20))
        (folder / name).write_bytes(gzip.compress(lines) if name.endswith("gz") else lines)
    (folder / "d.csv").write_text("text\nfrom csv\n")
    (folder / "e.txt").write_text("from text")
    summary = run(folder, CLEAN, partition_bytes=100)
    check_account(summary)
    texts = [row["text"] for row in read_rows(tmp_path / "out.jsonl")]
    expected = [f"{name} {number}" for name in ("a.jsonl", "b.jsonl", "c.jsonl.gz") for number in range(20)]
    assert texts == [*expected, "from csv", "from text"]
    assert {source for source, *_ in fates(summary)} == {"a.jsonl", "b.jsonl", "c.jsonl.gz", "d.csv", "e.txt"}


def test_output_is_empty_when_the_input_is(run, tmp_path):
    (tmp_path / "in.jsonl").touch()
    summary = run(tmp_path / "in.jsonl", CLEAN)
    assert (summary.rows_in, summary.kept, summary.bytes_out) == (0, 0, 0)
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    summary = run(tmp_path / "in.jsonl", CLEAN, files=(), out="other.parquet")
    assert (summary.rows_in, pq.read_table(tmp_path / "other.parquet").num_rows) == (0, 0)
    assert read_rows(details(summary)).is_empty()


def test_row_is_processed_when_it_is_fifty_megabytes(run, write_rows, tmp_path):
    text = "word " * 10_000_000 + "a@b.cd"
    summary = run(write_rows([{"text": "small text"}, {"text": text}, {"text": "other text"}]), CLEAN)
    assert summary.kept == 3
    lines = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert [len(line) for line in lines] == [22, len('{"text": ""}') + 50_000_000, 22]


def test_operators_follow_the_deduplicator_when_the_recipe_goes_on(run, write_rows, read_rows, tmp_path):
    source = write_rows(
        [
            {"id": n, "text": text}
            for n, text in enumerate(["a@b.cd long", "a@b.cd long", "short", "z@b.cd long", "x" * 9])
        ]
    )
    process = "[document_deduplicator, clean_email_mapper, {text_length_filter: {min_len: 5}}, document_deduplicator]"
    summary = run(source, process, partition_bytes=30)
    check_account(summary)
    assert [row["id"] for row in read_rows(tmp_path / "out.jsonl")] == [0, 2, 4]
    assert summary.dropped_by == {"document_deduplicator": 1, "document_deduplicator#2": 1}
    assert [count.rows_in for count in summary.operators] == [5, 4, 4, 4]


def test_several_text_columns_are_changed_when_operators_name_them(run, write_rows, read_rows, tmp_path):
    source = write_rows([{"title": "t a@b.cd", "body": "b a@b.cd"}, {"title": "only"}])
    summary = run(source, "[clean_email_mapper, {clean_email_mapper: {text_key: title}}]", extra="text_keys: body")
    assert read_rows(tmp_path / "out.jsonl") == [{"title": "t ", "body": "b "}]
    assert summary.quarantined == 1
    assert [count.operator for count in summary.operators] == ["clean_email_mapper", "clean_email_mapper#2"]


def test_raw_is_not_kept_when_bad_rows_are_skipped(run, write_rows):
    summary = run(write_rows([{"text": "good one"}, b"{"]), CLEAN, extra="on_error: skip")
    check_account(summary)
    (bad,) = read_quarantine(details(summary))
    assert (bad["code"], bad["raw"]) == ("bad_json", None)


def test_run_fails_when_a_row_is_bad_and_the_recipe_says_so(run, write_rows, tmp_path):
    with pytest.raises(BadRowError, match=r"Row 1 of in\.jsonl failed in reader: the row is not valid JSON"):
        run(write_rows([{"text": "good one"}, b"{"]), CLEAN, extra="on_error: fail")
    assert not (tmp_path / "out.jsonl").exists()


def test_run_fails_when_more_rows_are_bad_than_allowed(run, write_rows):
    source = write_rows([{"text": "good one"}, b"{", b"{"])
    assert run(source, CLEAN, extra="max_errors: 2").quarantined == 2
    with pytest.raises(TooManyBadRowsError, match="max_errors: 1"):
        run(source, CLEAN, extra="max_errors: 1", overwrite=True)


def test_parquet_keeps_its_types_when_it_is_read_and_written(run, tmp_path):
    rows = 200
    table = pa.table(
        {
            "id": pa.array(range(rows), pa.uint8()),
            "text": pa.array([f"text a@b.cd {n % 150}" for n in range(rows - 1)] + [None], pa.large_string()),
            "tags": pa.array([["a", None]] * rows, pa.list_(pa.string())),
            "when": pa.array([1] * rows, pa.timestamp("ns", "Europe/Berlin")),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=30)
    summary = run(tmp_path / "in.parquet", CLEAN, out="out.parquet", partition_bytes=1)
    check_account(summary)
    assert summary.partitions == 7
    assert summary.dropped_by == {"document_deduplicator": 49}
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.schema.equals(table.schema)
    assert found.column("id").to_pylist() == list(range(150))
    assert found.column("text").to_pylist() == [f"text  {n}" for n in range(150)]
    (bad,) = read_quarantine(details(summary))
    assert json.loads(bad["raw"])["id"] == 199


def test_parquet_becomes_lines_when_the_output_says_so(run, tmp_path, read_rows):
    pq.write_table(pa.table({"id": [1, 2], "text": ["one a@b.cd", "none"]}), tmp_path / "in.parquet")
    run(tmp_path / "in.parquet", CLEAN)
    assert read_rows(tmp_path / "out.jsonl") == [{"id": 1, "text": "one "}, {"id": 2, "text": "none"}]


def test_lines_become_parquet_without_loss_when_their_types_drift(run, write_rows, tmp_path):
    source = write_rows(
        [{"text": "first", "id": 1}, {"text": "second", "id": "2"}, {"text": "third", "deep": {"a": 1}}]
    )
    run(source, CLEAN, out="out.parquet", partition_bytes=20)
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [
        {"text": "first", "id": "1", "deep": None},
        {"text": "second", "id": '"2"', "deep": None},
        {"text": "third", "id": None, "deep": '{"a": 1}'},
    ]


@pytest.mark.parametrize(
    ("rows", "process", "error", "words"),
    [
        ([{"text": "a"}], "[no_such_operator]", RecipeError, "process.0.no_such_operator"),
        ([{"text": "a"}], "[{text_length_filter: {min_len: -1}}]", RecipeError, r"process\.0\.min_len"),
        ([{"body": "a"}], "[clean_email_mapper]", MissingColumnError, "no column 'text'; its columns are: body"),
        ([{"text": 3}], "[clean_email_mapper]", MissingColumnError, "holds number, not text"),
    ],
)
def test_nothing_is_written_when_the_check_before_the_run_fails(run, write_rows, tmp_path, rows, process, error, words):
    with pytest.raises(error, match=words):
        run(write_rows(rows), process)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_paths_are_told_when_they_cannot_be_used(run, write_rows, tmp_path, shared_pool):
    source = write_rows([{"text": "good one"}])
    with pytest.raises(RecipeError, match=r"(?s)dataset_path: is missing.*export_path: is missing"):
        shared_pool.run(parse_recipe("process: []"), RunOptions())
    with pytest.raises(OutputNotWritableError, match=r"neither \.jsonl nor \.parquet"):
        run(source, out="out.txt")
    with pytest.raises(OutputNotWritableError, match="lies inside the input"):
        run(tmp_path, out="out.jsonl")
    (tmp_path / "in.jsonl.bak").touch()
    with pytest.raises(OutputNotWritableError, match="is a file, so nothing"):
        run(source, out="in.jsonl.bak/out.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(OutputNotWritableError, match="is a folder"):
        run(source, out="folder.jsonl")
    with pytest.raises(UnreadableInputError, match=r"gone\.jsonl cannot be read"):
        run(tmp_path / "gone.jsonl")
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    with pytest.raises(UnreadableInputError, match=r"bad\.parquet cannot be read as Parquet"):
        run(tmp_path / "bad.parquet")
    (tmp_path / "bad.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(UnreadableInputError, match=r"bad\.jsonl\.gz is not valid gzip"):
        run(tmp_path / "bad.jsonl.gz")


def test_disk_space_is_checked_when_a_run_begins(run, write_rows, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 3}))
    with pytest.raises(StorageFullError, match="has 0 MB free"):
        run(write_rows([{"text": "good one"}]))


def test_output_is_replaced_only_when_asked(run, write_rows, tmp_path):
    source = write_rows([{"text": "good one"}])
    (tmp_path / "out.jsonl").write_text("precious")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        run(source)
    assert (tmp_path / "out.jsonl").read_text() == "precious"
    run(source, overwrite=True)
    assert (tmp_path / "out.jsonl").read_text() == '{"text": "good one"}\n'


def test_finished_run_is_not_repeated_when_it_is_resumed(run, write_rows, tmp_path):
    source = write_rows([{"text": "good one"}])
    first = run(source)
    before = (tmp_path / "out.jsonl").stat()
    assert run(source, resume=True) == first
    assert (tmp_path / "out.jsonl").stat().st_ino == before.st_ino
    changed = run(source, "[{text_length_filter: {min_len: 99}}]", resume=True)
    assert (changed.kept, changed.partitions_reused) == (0, 0)
    check_account(changed)


def test_committed_partitions_are_reused_when_a_cancelled_run_is_resumed(run, write_rows, tmp_path):
    source = write_rows([{"text": f"text number {number} a@b.cd"} for number in range(3000)])
    asked: list[int] = []
    watch = Watch(
        on_progress=lambda progress: asked.append(progress.partitions_done),
        is_cancelled=lambda: bool(asked) and asked[-1] >= 5,
    )
    with pytest.raises(RunCancelledError):
        run(source, CLEAN, partition_bytes=4000, watch=watch)
    assert not (tmp_path / "out.jsonl").exists()
    with pytest.raises(RunConflictError, match=r"--resume .* --overwrite"):
        run(source, CLEAN, partition_bytes=4000)
    # The partitions are those of the first attempt, whatever size is aimed at now.
    summary = run(source, CLEAN, partition_bytes=9000, resume=True)
    check_account(summary)
    assert summary.partitions_reused >= 5
    assert summary.kept == 3000
    run(source, CLEAN, out="again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()


def test_progress_reaches_the_end_when_a_run_does(run, write_rows):
    source = write_rows([{"text": f"text number {number}"} for number in range(500)])
    seen = []
    run(source, CLEAN, partition_bytes=1000, watch=Watch(on_progress=seen.append))
    last = seen[-1]
    assert (last.stage, last.stages, last.partitions_done) == (1, 2, last.partitions)
    assert (last.rows, last.bytes) == (500, last.bytes_total) == (500, source.stat().st_size)
    assert [count.rows_in for count in last.operators] == [500, 500, 500]
    assert all(before.bytes <= after.bytes for before, after in pairwise(seen))


def test_preview_writes_nothing_when_it_shows_the_plan(write_rows, tmp_path):
    source = write_rows([{"text": "good one"}])
    text = f"dataset_path: {source}\nexport_path: {tmp_path}/new/out.jsonl\nprocess: {CLEAN}"
    plan, partitions = preview_recipe(parse_recipe(text))
    assert (len(plan.stages), len(partitions)) == (2, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
    with pytest.raises(InvalidInputError):
        preview_recipe(parse_recipe(text.replace("clean_email_mapper", "clean_email_maper")))
