import pytest
from hypothesis import given
from selectolax.lexbor import LexborHTMLParser

from factories.texts import batches, properties


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>Hello &amp; <b>you</b></p>", "Hello & you"),
        ("<ul><li>one</li><li>two</li></ul>", "\n*one\n*two"),
        ("one<br>two", "onetwo"),
        ("no mark-up, a > b", "no mark-up, a > b"),
        ("\n leading space", "leading space"),
        ("nul\x00", "nul"),
        ("", ""),
    ],
)
def test_tags_go_when_the_text_is_html(values, text, plain):
    assert values("clean_html_mapper", [text]) == [plain]


@properties
@given(batches)
def test_result_equals_the_definition_when_the_text_is_hostile(values, texts):
    def definition(text):
        marked = text.replace("<li>", "\n*").replace("</li>", "").replace("<ol>", "\n*").replace("</ol>", "")
        return LexborHTMLParser(marked).text()

    assert values("clean_html_mapper", texts) == [definition(text) for text in texts]
