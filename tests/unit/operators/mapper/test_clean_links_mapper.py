import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from datamate.operators.mapper.clean_links_mapper import CleanLinksMapper
from factories.texts import properties

PARTS = (
    *"abZİ\u017f\u212a3٣éK_日%",
    *".-:/()<>[]'»\u2019, \n\u2028\u0301\u200d\x00\u0558\U0001f600\U00011de0",
    *("www", "WwW", "com", "x.co/", "ht:", "http://"),
)
links = st.lists(st.lists(st.sampled_from(PARTS), max_size=25).map("".join), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("See https://example.com/a(b)?q=1, then go.", "See , then go."),
        ("(www.example.org)", "()"),
        ("example.com/xy and example.com", " and example.com"),
        ("note:this is a link by the rule", " is a link by the rule"),
        ("日本http://a.b", "日本http://a.b"),
        ("日本 http://a.b", "日本 "),
        ("a.b/c", "a.b/c"),
        ("", ""),
    ],
)
def test_links_go_when_they_stand_alone(values, text, cleaned):
    assert values("clean_links_mapper", [text]) == [cleaned]


def test_the_character_before_a_link_stays_when_the_link_is_replaced(values):
    assert values("clean_links_mapper", ["(http://a.bc/d)e.fg/hi"], repl="$1") == ["($1)$1"]


@properties
@given(links)
def test_result_equals_the_definition_when_the_text_is_hostile(values, texts):
    definition = regex.compile(CleanLinksMapper.default_pattern, regex.DOTALL)

    assert values("clean_links_mapper", texts, repl="|") == [definition.sub("|", text) for text in texts]
