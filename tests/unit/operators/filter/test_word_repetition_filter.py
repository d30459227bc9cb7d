from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamate.operators.character_sets import SPECIAL, characters
from factories.texts import batches, properties


@pytest.mark.parametrize(
    ("text", "share"),
    [("", 0.0), ("one two", 0.0), ("a b c d", 0.0), ("The cat, the CAT!\tthe dog", 1 / 2), ("... !!! ???", 0.0)],
)
def test_share_counts_repeated_runs_when_case_and_punctuation_differ(values, text, share):
    assert values("word_repetition_filter", [text], rep_len=3) == [pytest.approx(share)]


@properties
@given(batches, st.integers(1, 4))
def test_metric_equals_the_definition_when_the_text_is_hostile(values, texts, n):
    special = characters(SPECIAL)

    def definition(text):
        words = [word.lower().strip(special) for word in text.replace("\n", " ").replace("\t", " ").split(" ")]
        words = [word for word in words if word]
        counts = Counter(tuple(words[place : place + n]) for place in range(len(words) - n + 1)).values()
        return sum(count for count in counts if count > 1) / sum(counts) if counts else 0.0

    assert values("word_repetition_filter", [*texts, texts[0] * 2], rep_len=n) == [
        definition(text) for text in [*texts, texts[0] * 2]
    ]
