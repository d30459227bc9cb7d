from collections import Counter
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories.texts import batches, properties


@pytest.mark.parametrize(("text", "share"), [("", 0.0), ("abc", 0.0), ("abababab", 4 / 7), ("aaaa", 1.0)])
def test_share_counts_the_most_frequent_runs_when_they_repeat(values, text, share):
    assert values("character_repetition_filter", [text], rep_len=2) == [pytest.approx(share)]


@properties
@given(batches, st.integers(1, 12))
def test_metric_equals_the_definition_when_the_text_is_hostile(values, texts, n):
    def definition(text):
        counts = sorted(Counter(text[place : place + n] for place in range(len(text) - n + 1)).values(), reverse=True)
        most = min(isqrt(len(counts)), len(counts) - counts.count(1))
        return sum(counts[:most]) / sum(counts) if counts else 0.0

    assert values("character_repetition_filter", [*texts, texts[0] * 2], rep_len=n) == [
        definition(text) for text in [*texts, texts[0] * 2]
    ]
