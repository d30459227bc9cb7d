import pytest
from hypothesis import given

from datamate.operators.mapper.punctuation_normalization_mapper import _COUNTERPARTS
from factories.texts import batches, properties


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("你好\uff0c世界\u3002", "你好,世界."),
        ("\u201cwait\u201d \u2014 what\u2026", '"wait"  -  what...'),
        ("plain, ASCII.", "plain, ASCII."),
        ("caf\u00e9", "caf\u00e9"),
        ("", ""),
    ],
)
def test_punctuation_becomes_ascii_when_normalised(values, text, normal):
    assert values("punctuation_normalization_mapper", [text]) == [normal]


@properties
@given(batches)
def test_result_equals_the_definition_when_the_text_is_hostile(values, texts):
    table = str.maketrans(_COUNTERPARTS)

    assert values("punctuation_normalization_mapper", texts) == [text.translate(table) for text in texts]
