"""Progress as lines of text."""

import pytest

from datamate.cli import progress
from datamate.cli.progress import PlainLines, describe_progress, show_progress


@pytest.mark.parametrize(
    ("done", "total", "unit", "words"),
    [
        (4_000, 10_000, "rows", "40 % (4,000 of 10,000 rows)"),
        (5, None, "rows", "5 rows"),
        (0, 0, "files", "100 % (0 of 0 files)"),
        (1_500_000, 3_000_000, "bytes", "50 % (1.5 MB of 3.0 MB)"),
        (7, 5, "rows", "100 % (7 of 5 rows)"),
    ],
)
def test_progress_is_in_words_when_described(done, total, unit, words):
    assert describe_progress(done, total, unit) == words


def test_last_state_is_written_once_when_work_ends(capsys):
    with show_progress("Working", unit="rows") as shown:
        for done in range(100):
            shown.update(done, 99, "reading")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "Working: 100 % (99 of 99 rows) · reading\n"


def test_lines_come_now_and_then_when_work_takes_long(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    lines = PlainLines("Working", "bytes")
    lines.update(1, 2)
    lines.update(3, 4, unit="rows")
    lines.finish()
    assert capsys.readouterr().err == "Working: 50 % (1 B of 2 B)\nWorking: 75 % (3 of 4 rows)\n"


def test_bar_is_drawn_on_stderr_when_it_is_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with show_progress("Working", unit="rows") as shown:
        shown.update(1, 4, "reading")
        shown.update(4, 4)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Working" in printed.err
    assert "100 % (4 of 4 rows)" in printed.err
