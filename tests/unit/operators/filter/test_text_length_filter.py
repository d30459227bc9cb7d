from hypothesis import given

from factories.texts import batches, properties


def test_length_counts_characters_when_they_take_many_bytes(values):
    assert values("text_length_filter", ["", "abc", "日本語", "e\u0301", "\U0001f600"]) == [0, 3, 3, 2, 1]


@properties
@given(batches)
def test_metric_equals_the_definition_when_the_text_is_hostile(values, texts):
    assert values("text_length_filter", texts) == [len(text) for text in texts]
