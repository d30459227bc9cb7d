"""Files as people really have them: one clear message, or a quarantined row, and nothing lost."""

import secrets

import pytest

from datamate.sdk.runs import RunFailedError

RECIPE = "process:\n  - whitespace_normalization_mapper:\n  - text_length_filter:\n      min_len: 3\n"
GOOD_FILE = {"good.jsonl": b'{"text":"quite good"}\n'}
HUGE_ROW = b'{"text":"' + b"abc " * 12_500_000 + b'"}\n{"text":"a small row"}\n'


@pytest.fixture
def run_over(admin, tmp_path):
    """Uploads files, runs the recipe, and returns the run's account and its quarantined rows."""

    def run(files: dict[str, bytes]):
        folder = tmp_path / "in"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        dataset = admin.datasets.create(f"bad {secrets.token_hex(4)}")
        admin.datasets.upload(dataset, folder)
        started = admin.runs.create(RECIPE, dataset)
        summary = admin.runs.wait(started.id)
        assert summary.rows_in == summary.kept + summary.dropped + summary.quarantined
        return summary, list(admin.runs.quarantined(started.id))

    return run


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.png": b"\x89PNG\r\n", "b.jsonl": b'{"text":"good"}\n'}, "a.png is of no kind that can be read"),
        ({"a.parquet": b"PAR1 but no more"}, "a.parquet cannot be read as Parquet"),
    ],
)
def test_file_is_named_when_it_cannot_be_read(run_over, files, words):
    with pytest.raises(RunFailedError, match=words):
        run_over(files)


@pytest.mark.parametrize("content", [b"", b"\n\n \n"])
def test_nothing_becomes_nothing_when_file_is_empty(run_over, content):
    summary, quarantined = run_over({"a.jsonl": content})
    assert (summary.rows_in, quarantined) == (0, [])


def test_row_of_50_megabytes_is_kept_when_it_is_valid(run_over):
    summary, _ = run_over({"a.jsonl": HUGE_ROW})
    assert (summary.rows_in, summary.kept) == (2, 2)


@pytest.mark.parametrize(
    ("name", "content", "broken"),
    [
        ("a.jsonl", b'{"text":"good"}\n{"text":NaN}\n[1]\n{"text":5}\n{"text":null}\n', 4),
        ("a.jsonl", b'{"text":"good"}\n{"text":"\\ud800 half a pair"}\n{"text":"\xe9t\xe9"}\n', 2),
        ("a.jsonl", b'{"body":"no text"}\n{"text":"good"}\n', 1),
        ("a.csv", b'text,b\n"one, two",2\nthree\nfour,5,6\n', 2),
        ("a.txt", "café".encode("latin-1"), 1),
    ],
)
def test_row_is_quarantined_with_its_reason_when_it_is_broken(run_over, name, content, broken):
    summary, quarantined = run_over({name: content, **GOOD_FILE})
    assert summary.quarantined == len(quarantined) == broken
    assert all(row.source == name and row.message and row.code and row.raw for row in quarantined)
    assert summary.kept >= 1
