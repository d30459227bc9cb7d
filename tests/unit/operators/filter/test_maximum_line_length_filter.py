import pytest
from hypothesis import given

from factories.texts import batches, properties


@pytest.mark.parametrize(("text", "longest"), [("", 0), ("abc", 3), ("\n\n", 0), ("a\r\nb日c\x85d", 3)])
def test_longest_line_leaves_out_separators_when_lines_end(values, text, longest):
    assert values("maximum_line_length_filter", [text]) == [longest]


@properties
@given(batches)
def test_metric_equals_the_definition_when_the_text_is_hostile(values, texts):
    assert values("maximum_line_length_filter", texts) == [
        max(map(len, text.splitlines()), default=0) for text in texts
    ]
