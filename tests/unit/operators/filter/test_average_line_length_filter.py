import pytest
from hypothesis import given

from factories.texts import batches, properties


@pytest.mark.parametrize(("text", "average"), [("", 0.0), ("abc", 3.0), ("ab\ncd\n", 3.0), ("a\r\nb\u2028", 2.5)])
def test_average_counts_separators_when_lines_end(values, text, average):
    assert values("average_line_length_filter", [text]) == [average]


@properties
@given(batches)
def test_metric_equals_the_definition_when_the_text_is_hostile(values, texts):
    assert values("average_line_length_filter", texts) == [
        len(text) / len(text.splitlines()) if text else 0.0 for text in texts
    ]
