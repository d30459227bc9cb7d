"""Cursors carry a sort key there and back, and nothing else is accepted."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamate.core.errors import InvalidInputError
from datamate.core.paging import decode_cursor, encode_cursor


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.integers(-(2**63), 2**63 - 1))
def test_cursor_gives_back_its_key(text, number):
    assert decode_cursor(encode_cursor((text, number)), kinds=(str, int)) == (text, number)


def test_first_page_when_there_is_no_cursor():
    assert decode_cursor(None, kinds=(str,)) is None


@pytest.mark.parametrize(
    "cursor",
    ["", "?", "AAAA", "bnVsbA", encode_cursor((1,)), encode_cursor(("a", "b")), encode_cursor((True,)), "ü", "W10" * 9],
)
def test_error_names_the_field_when_cursor_is_foreign(cursor):
    with pytest.raises(InvalidInputError) as caught:
        decode_cursor(cursor, kinds=(str,))
    assert caught.value.errors[0].field == "cursor"


@pytest.mark.parametrize("key", [(2**63,), (-(2**63) - 1,), ("a\0b",), ("\ud800",)])
def test_error_when_no_database_could_compare_with_the_key(key):
    cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
    with pytest.raises(InvalidInputError):
        decode_cursor(cursor, kinds=(type(key[0]),))


@given(st.text())
def test_any_text_is_a_key_or_a_clear_error(text):
    with contextlib.suppress(InvalidInputError):
        assert decode_cursor(encode_cursor(decode_cursor(text, kinds=(str,))), kinds=(str,))
