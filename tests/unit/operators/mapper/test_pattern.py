import polars as pl
import pytest

from datamate.operators.errors import InvalidParamsError
from datamate.operators.evaluation import RowFailure, evaluate
from datamate.operators.mapper import pattern
from datamate.operators.registry import build_operator


@pytest.mark.parametrize("quoted", ["[0-9]+", "r'[0-9]+'", 'r"[0-9]+"'])
def test_own_pattern_is_used_when_given_plain_or_quoted(values, quoted):
    assert values("clean_email_mapper", ["a1b22", "a@b.c"], pattern=quoted, repl="#") == ["a#b#", "a@b.c"]


def test_groups_are_filled_in_when_the_replacement_names_them(values):
    assert values("clean_ip_mapper", ["x=1"], pattern=r"(\w)=(\w)", repl=r"\2=\1") == ["1=x"]


def test_default_pattern_fills_in_groups_when_only_the_replacement_is_given(values):
    assert values("clean_links_mapper", ["go www.x.org"], repl=r"<\1>") == ["go <www.x.org>"]


def test_pattern_crosses_lines_when_it_holds_a_dot(values):
    assert values("clean_ip_mapper", ["<a\nb>"], pattern="<.*>") == [""]


def test_lookaround_works_when_the_pattern_needs_it(values):
    assert values("clean_ip_mapper", ["a1 b1"], pattern=r"(?<=a)1") == ["a b1"]


def test_pattern_is_refused_when_it_is_not_a_regular_expression():
    with pytest.raises(
        InvalidParamsError, match=r"pattern: '\(\[' is not valid: the pattern is not a regular expression: unterminated"
    ):
        build_operator("clean_links_mapper", {"pattern": "(["})


def test_only_the_slow_row_fails_when_a_pattern_takes_too_long(monkeypatch):
    monkeypatch.setattr(pattern, "ROW_SECONDS", 0.05)
    operator = build_operator("clean_ip_mapper", {"pattern": "(a|aa)+$"})

    evaluation = evaluate(operator, pl.DataFrame({"text": ["x", "a" * 60 + "b", "aa"]}))

    assert evaluation.values.to_list() == ["x", None, ""]
    assert [(failure.index, failure.error_code) for failure in evaluation.failures] == [(1, "row_error")]
    assert isinstance(evaluation.failures[0], RowFailure)
    assert "took more than 0.05 s on this text of 61 characters" in evaluation.failures[0].message
