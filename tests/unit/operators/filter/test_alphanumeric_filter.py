import pytest
from hypothesis import given

from factories.texts import batches, properties


@pytest.mark.parametrize(
    ("text", "share"),
    [("", 0.0), ("ab 1", 0.75), ("日本。", 2 / 3), ("½²Ⅷ", 1.0), ("_-\u0301", 0.0), ("\u0939\u0940", 0.5)],
)
def test_share_counts_letters_and_digits_when_of_any_script(values, text, share):
    assert values("alphanumeric_filter", [text]) == [share]


@properties
@given(batches)
def test_metric_equals_the_definition_when_the_text_is_hostile(values, texts):
    assert values("alphanumeric_filter", texts) == [
        sum(character.isalnum() for character in text) / len(text) if text else 0.0 for text in texts
    ]
