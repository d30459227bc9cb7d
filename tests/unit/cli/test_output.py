"""Tables, JSON and numbers as commands print them."""

import json
from datetime import UTC, datetime

import pytest

from datamate.cli.output import format_bytes, format_time, print_fields, print_json_array, print_table, shorten
from datamate.contracts.main.users import Role


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_400_000, "1.4 MB"), (2.5e9, "2.5 GB"), (3e15, "3,000.0 TB")],
)
def test_bytes_are_in_a_unit_that_people_read_when_formatted(count, words):
    assert format_bytes(count) == words


def test_time_is_local_when_formatted(monkeypatch):
    assert format_time(None) == "-"
    instant = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert format_time(instant) == f"{instant.astimezone():%Y-%m-%d %H:%M:%S}"


def test_text_is_one_line_when_shortened():
    assert shorten("a\n  b\tc", 10) == "a b c"
    assert shorten("x" * 20, 10) == "x" * 9 + "…"


def test_columns_are_aligned_when_table_is_printed(capsys):
    print_table(("name", "rows", "ok"), [("a", 5, True), ("long name", 12_345, None)], empty="none")
    assert capsys.readouterr().out.splitlines() == [
        "NAME         ROWS  OK",
        "a               5  yes",
        "long name  12,345  -",
    ]


def test_only_stderr_speaks_when_table_is_empty(capsys):
    print_table(("name",), [], empty="There are none.")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "There are none.\n"


def test_names_are_aligned_when_fields_are_printed(capsys):
    print_fields([("id", "7"), ("status", "done"), ("error", None)])
    assert capsys.readouterr().out == "id      7\nstatus  done\n"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_array_is_valid_json_when_it_has_any_length(capsys, count):
    roles = [Role(name=f"R{number}", permissions=[]) for number in range(count)]
    print_json_array(iter(roles))
    assert [item["name"] for item in json.loads(capsys.readouterr().out)] == [role.name for role in roles]
