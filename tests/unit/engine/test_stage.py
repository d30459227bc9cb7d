from collections.abc import Iterator

import polars as pl
import pytest

from datamate.engine.accounting import EXCERPT_CHARS, excerpts
from datamate.engine.stage import StageRunner
from datamate.operators.base import Mapper, OperatorKind, Params, Sample, Spec
from datamate.operators.errors import RowError
from datamate.operators.registry import build_operator


class RefusingMapper(Mapper[Params]):
    """Upper-cases texts, except those that say no."""

    spec = Spec("refusing_mapper", 1, OperatorKind.MAPPER, "Refuses.", writes=("text_key",))
    params_type = Params

    def execute(self, sample: Sample) -> str:
        text = str(sample["text"])
        if "no" in text:
            raise RowError("it says no")
        return text.upper()


def run(operators, texts: list[str]):
    labels = [f"{operator.spec.name}#{place}" for place, operator in enumerate(operators)]
    runner = StageRunner(operators, labels)
    before = pl.DataFrame({"text": texts})
    return runner, before, runner.run(before, len(texts))


def test_every_row_has_one_fate_when_operators_change_drop_and_fail():
    operators = [
        build_operator("clean_email_mapper"),
        build_operator("text_length_filter", {"min_len": 3}),
        RefusingMapper(Params()),
        build_operator("document_deduplicator"),
    ]
    runner, before, outcome = run(operators, ["abc a@b.cd", "x", "no way", "same", "same"])
    assert outcome.rows.to_list() == [0, 3, 4]
    assert outcome.texts["text"].to_list() == ["ABC ", "SAME", "SAME"]
    assert [(drop.operator, drop.metric, drop.rows.to_list(), drop.values.to_list()) for drop in outcome.dropped] == [
        ("text_length_filter#1", "text_len", [1], [1.0])
    ]
    assert [(failed.row, failed.operator, failed.message) for failed in outcome.failed] == [
        (2, "refusing_mapper#2", "it says no")
    ]
    assert outcome.keys is not None
    assert outcome.keys[1] == outcome.keys[2] != outcome.keys[0]
    counts = [(count.rows_in, count.changed, count.dropped, count.quarantined) for count in runner.counts]
    assert counts == [(5, 1, 0, 0), (5, 0, 1, 0), (4, 3, 0, 1), (3, 0, 0, 0)]
    mask = outcome.kept_mask(5)
    assert mask is not None
    assert mask.to_list() == [True, False, False, True, True]
    (texts,) = outcome.new_texts(before)
    assert texts.changed.to_list() == [True, True, True]


def test_nothing_is_copied_when_all_rows_stay_as_they_are():
    _, before, outcome = run([build_operator("clean_email_mapper")], ["a", "b"])
    assert outcome.kept_mask(2) is None
    assert not outcome.new_texts(before)[0].changed.any()


def test_rows_pass_when_there_are_no_operators():
    outcome = StageRunner([], []).run(pl.DataFrame(), 3)
    assert outcome.rows.to_list() == [0, 1, 2]
    assert outcome.new_texts(pl.DataFrame()) == []


def test_first_changes_are_sampled_when_there_are_many():
    runner, _, outcome = run([RefusingMapper(Params())], [f"text {number}" for number in range(9)])
    assert [(change.row, change.before, change.after) for change in outcome.changes] == [
        (number, f"text {number}", f"TEXT {number}") for number in range(3)
    ]
    assert runner.run(pl.DataFrame({"text": ["more"]}), 1).changes == []


@pytest.fixture(params=[(0, 0), (5, 5), (1000, 5), (10_000, 9_000), (9_000, 8_192), (9_000, 9_000)])
def lengths(request) -> Iterator[tuple[int, int]]:
    return request.param


def test_excerpts_show_the_difference_when_texts_are_long(lengths):
    length, place = lengths
    before = "a" * length
    after = before[:place] + "B" + before[place:]
    for text in excerpts(before, after):
        assert len(text) <= EXCERPT_CHARS + 2
    assert "B" in excerpts(before, after)[1]
