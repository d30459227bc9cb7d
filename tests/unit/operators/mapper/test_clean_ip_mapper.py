import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from datamate.operators.mapper.clean_ip_mapper import CleanIpMapper
from factories.texts import properties

PARTS = (*"0123456789afFg٣ \U00011de0", "25", "1.2.3.", "1:2:3:4:", *"....::::")
addresses = st.lists(st.lists(st.sampled_from(PARTS), max_size=25).map("".join), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("ping 10.0.0.255 now", "ping  now"),
        ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", ""),
        ("both 1.2.3.4 and 1:2:3:4:5:6:7:8", "both  and "),
        ("1.2.3.456", "6"),
        ("300.1.2", "300.1.2"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_addresses_go_when_they_are_complete(values, text, cleaned):
    assert values("clean_ip_mapper", [text]) == [cleaned]


@properties
@given(addresses)
def test_result_equals_the_definition_when_the_text_is_hostile(values, texts):
    definition = regex.compile(CleanIpMapper.default_pattern, regex.DOTALL)

    assert values("clean_ip_mapper", texts, repl="|") == [definition.sub("|", text) for text in texts]
