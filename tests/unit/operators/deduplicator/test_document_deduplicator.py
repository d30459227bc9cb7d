import string

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from factories.texts import batches, properties


def groups(keys):
    """Return for each key the place of its first occurrence."""
    return [keys.index(key) for key in keys]


def test_key_has_sixteen_bytes_when_the_text_is_empty_or_not(values):
    assert {len(key) for key in values("document_deduplicator", ["", "text", "日本"])} == {16}


@pytest.mark.parametrize(
    ("params", "same"),
    [
        ({}, [0, 1, 2, 0]),
        ({"lowercase": True}, [0, 0, 2, 0]),
        ({"ignore_non_character": True}, [0, 1, 0, 0]),
        ({"lowercase": True, "ignore_non_character": True}, [0, 0, 0, 0]),
    ],
)
def test_texts_share_a_key_when_they_differ_in_what_is_ignored(values, params, same):
    texts = ["Some text.", "some Text.", "Some 1 text", "\u2028Some text.\x1c"]

    assert groups(values("document_deduplicator", texts, **params)) == same


def test_key_is_stable_when_computed_on_another_day(values):
    assert values("document_deduplicator", ["text"])[0].hex() == "831c6831fdc9a309a4c66cc3cb2fa374"


@properties
@given(batches, st.booleans(), st.booleans())
def test_keys_agree_as_by_definition_when_the_text_is_hostile(values, texts, lowercase, ignore):
    ignored = regex.compile(rf"\s+|\d+|[{regex.escape(string.punctuation)}]")
    texts = [*texts, *(text.swapcase() for text in texts), *(f" {text}1," for text in texts)]

    def definition(text):
        text = text.lower() if lowercase else text
        return (ignored.sub("", text) if ignore else text).strip()

    keys = values("document_deduplicator", texts, lowercase=lowercase, ignore_non_character=ignore)
    assert groups(keys) == groups([definition(text) for text in texts])
