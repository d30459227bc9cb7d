import ftfy
import polars as pl
import pytest
from ftfy.badness import MOJIBAKE_CATEGORIES
from hypothesis import given
from hypothesis import strategies as st

from datamate.operators.mapper.ftfy_candidates import may_change
from factories.texts import properties, texts

MOJIBAKE = sorted({character for members in MOJIBAKE_CATEGORIES.values() for character in members if character != "-"})
broken = st.lists(st.sampled_from([*MOJIBAKE, *"abyzAZ \n.?"]), max_size=8).map("".join)
misread = st.text(st.characters(codec="utf-8"), max_size=6).map(
    lambda text: text.encode().decode("windows-1252", "replace")
)


@properties
@given(st.lists(st.one_of(broken, misread, texts), min_size=1, max_size=60), st.sampled_from(["NFC", "NFKD"]))
def test_text_is_a_candidate_when_ftfy_changes_it(made, form):
    flags = may_change(pl.Series(made, dtype=pl.String), form).to_list()

    untouched = [text for text, flag in zip(made, flags, strict=True) if not flag]
    assert [ftfy.fix_text(text, normalization=form) for text in untouched] == untouched


@pytest.mark.parametrize(
    "text",
    ["", "plain\ttext\n", "Gr\u00f6\u00dfe, na\u00efve", "\u65e5\u672c\u8a9e", "\u041f\u0440\u0438\u0432\u0435\u0442"],
)
def test_text_is_no_candidate_when_it_is_ordinary(text):
    assert may_change(pl.Series([text], dtype=pl.String), "NFC").to_list() == [False]
