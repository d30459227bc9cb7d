"""What the demonstration is made of, and how its result is told."""

import json
from pathlib import Path

import pytest
import yaml

from datamate.app.demo import scenario
from datamate.cli.demo_report import excerpts, most_telling
from datamate.contracts.runtime.runs import ChangedRow
from datamate.operators.registry import build_operator, operator_names

MAX_SAMPLE_BYTES = 5_000_000


def test_sample_is_small_and_messy_when_shipped():
    files = [path for path in scenario.SAMPLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MAX_SAMPLE_BYTES
    assert {path.suffix for path in files} == {".jsonl", ".csv", ".html", ".md", ".txt"}
    assert unreadable_lines(scenario.SAMPLE / "crawl/passages.jsonl") == 3
    assert unreadable_lines(scenario.SAMPLE / "jargon.jsonl") == 2


def unreadable_lines(path: Path) -> int:
    count = 0
    for line in path.read_bytes().splitlines():
        try:
            json.loads(line)
        except ValueError:
            count += 1
    return count


def test_source_and_licence_are_stated_when_sample_is_shipped():
    text = scenario.SAMPLE.with_name("SOURCE.md").read_text()
    for package in ("dict-jargon", "dict-devil", "sqlite3-doc", "tzdata"):
        assert package in text
    assert text.count("public domain") >= 4


def test_recipe_is_valid_and_uses_every_operator_when_read():
    steps = yaml.safe_load(scenario.RECIPE.read_text())["process"]
    for step in steps:
        [(name, params)] = step.items()
        build_operator(name, params)
    assert {name for step in steps for name in step} == set(operator_names())


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("a <b>c</b>", "a c", ("a <b>c</b>", "a c")),
        ("x" * 50 + "OLD", "x" * 50 + "new", ("…" + "x" * 16 + "OLD", "…" + "x" * 16 + "new")),
        ("one\ntwo", "one", ("one⏎two", "one")),
    ],
)
def test_difference_is_shown_when_texts_differ(before, after, shown):
    assert excerpts(before, after) == shown


def test_largest_change_of_each_operator_is_told_when_there_are_several():
    def row(operator: str, before: str, after: str) -> ChangedRow:
        return ChangedRow(operator=operator, source="a", ordinal=0, before=before, after=after)

    spaces, small, large = row("spaces", "a  b", "a b"), row("links", "ab", "a"), row("links", "abcdef", "a")
    assert most_telling([spaces, small, large, small]) == [large, spaces]
