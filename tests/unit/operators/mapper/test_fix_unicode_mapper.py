import ftfy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories.texts import batches, properties


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("plain text\twith\nlines", "plain text\twith\nlines"),
        ("schÃ¶n\nand plain", "schön\nand plain"),
        ("\u201cquoted\u201d \ufb01ne", '"quoted" fine'),
        ("R&amp;D", "R&D"),
        ("<b>R&amp;D</b>", "<b>R&amp;D</b>"),
        ("R&amp;D\n<b>\nR&amp;D", "R&D\n<b>\nR&amp;D"),
        ("one\r\ntwo\x00", "one\ntwo"),
        ("", ""),
    ],
)
def test_text_is_repaired_when_it_was_decoded_wrongly(values, text, fixed):
    assert values("fix_unicode_mapper", [text]) == [fixed]


@pytest.mark.parametrize(("form", "composed"), [("NFC", "\u00e9\u2460"), ("nfkd", "e\u03011"), (None, "\u00e9\u2460")])
def test_result_has_the_normal_form_when_asked_for(values, form, composed):
    assert values("fix_unicode_mapper", ["e\u0301\u2460"], normalization=form) == [composed]


@properties
@given(batches, st.sampled_from(["NFC", "NFKC", "NFD", "NFKD"]))
def test_result_equals_the_definition_when_the_text_is_hostile(values, texts, form):
    assert values("fix_unicode_mapper", texts, normalization=form) == [
        ftfy.fix_text(text, normalization=form) for text in texts
    ]
