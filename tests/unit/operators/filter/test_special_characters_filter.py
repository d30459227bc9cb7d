import pytest
from hypothesis import given

from datamate.operators.character_sets import SPECIAL, characters
from factories.texts import batches, properties


@pytest.mark.parametrize(
    ("text", "share"), [("", 0.0), ("a, 1", 0.75), ("日本。", 1 / 3), ("\U0001f600é", 0.5), ("\x00\x1f", 0.0)]
)
def test_share_counts_punctuation_digits_and_emoji_when_measured(values, text, share):
    assert values("special_characters_filter", [text]) == [share]


@properties
@given(batches)
def test_metric_equals_the_definition_when_the_text_is_hostile(values, texts):
    special = set(characters(SPECIAL))

    assert values("special_characters_filter", texts) == [
        sum(character in special for character in text) / len(text) if text else 0.0 for text in texts
    ]
