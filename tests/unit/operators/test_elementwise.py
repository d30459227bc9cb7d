import polars as pl
import pytest

from datamate.operators.elementwise import replace_where


@pytest.mark.parametrize(
    ("mask", "result"),
    [
        ([True, False, True], ["A", "b", "C"]),
        ([False, False, False], ["a", "b", "c"]),
        ([None, True, None], ["a", "B", "c"]),
    ],
)
def test_only_masked_rows_change_when_a_function_is_applied(mask, result):
    texts = pl.Series(["a", "b", "c"])

    replaced = replace_where(texts, pl.Series(mask, dtype=pl.Boolean), lambda rows: rows.str.to_uppercase())

    assert replaced.to_list() == result
    assert texts.to_list() == ["a", "b", "c"]


def test_function_sees_masked_rows_only_when_applied():
    seen = []

    def record(rows):
        seen.extend(rows.to_list())
        return rows

    replace_where(pl.Series(["a", "b", "c"]), pl.Series([False, True, False]), record)

    assert seen == ["b"]
