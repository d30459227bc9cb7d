import pytest
from hypothesis import given

from datamate.operators.character_sets import VARIOUS_WHITESPACE, characters
from factories.texts import batches, properties


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("\t two\u00a0\u3000words\there \x1c", "two  words here"),
        ("line\n\nline\u2028line", "line\n\nline\u2028line"),
        ("zero\u200bwidth\u200djoiner\ufffc", "zero width joiner "),
        ("\u200bkept as a space at the start", " kept as a space at the start"),
        ("\t\n \u2003", ""),
        ("", ""),
    ],
)
def test_white_space_becomes_plain_when_normalised(values, text, normal):
    assert values("whitespace_normalization_mapper", [text]) == [normal]


@properties
@given(batches)
def test_result_equals_the_definition_when_the_text_is_hostile(values, texts):
    table = dict.fromkeys(map(ord, characters(VARIOUS_WHITESPACE)), " ")

    assert values("whitespace_normalization_mapper", texts) == [text.strip().translate(table) for text in texts]
