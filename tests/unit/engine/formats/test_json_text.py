import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamate.engine.errors import BadRowError
from datamate.engine.formats.json_text import members, parse_object, replace_value

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
KEYS = st.sampled_from(["text", 'say "text', "te\\xt", "id", "näme", "", "a b"]) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


def encode(row, ascii_only, separators):
    return json.dumps(row, ensure_ascii=ascii_only, separators=separators).encode()


@settings(deadline=None)
@given(
    st.dictionaries(KEYS, VALUES, max_size=5),
    st.text(),
    st.text(),
    st.booleans(),
    st.sampled_from([(", ", ": "), (",", ":"), (" , ", "\t:  ")]),
)
def test_one_value_changes_and_no_other_byte_when_it_is_replaced(row, old, new, ascii_only, separators):
    row["text"] = old
    line = encode(row, ascii_only, separators)
    changed = replace_value(line, "text", encode(new, ascii_only, separators))
    row["text"] = new
    assert changed == encode(row, ascii_only, separators)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (rb'{"text": "a", "text": "b"}', rb'{"text": "a", "text": 1}'),
        (rb'{"te\u0078t": "a", "m": {"text": "a"}}', rb'{"te\u0078t": 1, "m": {"text": "a"}}'),
        (rb'{"m": {"text": "a"}, "text" :"\\\"x\\"}', rb'{"m": {"text": "a"}, "text" :1}'),
        (rb'{"a": "\"text\": \"x\"", "text": "y"}', rb'{"a": "\"text\": \"x\"", "text": 1}'),
        (rb'{"n": 1e999, "text": "y", "z": 1e-999}', rb'{"n": 1e999, "text": 1, "z": 1e-999}'),
        (rb'{"n": [{"text": "q"}], "text": "\\"}', rb'{"n": [{"text": "q"}], "text": 1}'),
        (b'{"text":"","n":' + b"9" * 5000 + b"}", b'{"text":1,"n":' + b"9" * 5000 + b"}"),
    ],
)
def test_right_value_is_replaced_when_others_look_like_it(line, expected):
    assert replace_value(line, "text", b"1") == expected


def test_key_is_found_when_it_is_not_ascii():
    assert replace_value(rb'{"n\u00e4me": "a"}', "näme", b"1") == rb'{"n\u00e4me": 1}'
    assert replace_value('{"näme": "a"}'.encode(), "näme", b"1") == '{"näme": 1}'.encode()


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (b"", "bad_json", "not valid JSON"),
        (b'{"a": 1', "bad_json", "not valid JSON"),
        (b'{"a": NaN}', "bad_json", "not valid JSON"),
        (b'{"a": "\xff"}', "invalid_utf8", "byte 7"),
        (b"[1]", "not_an_object", "a JSON array"),
        (b"null", "not_an_object", "a JSON null"),
        (b"[" * 100_000, "bad_json", "not valid JSON"),
    ],
)
def test_reason_is_told_when_a_line_is_no_object(line, code, words):
    with pytest.raises(BadRowError, match=words) as caught:
        parse_object(line)
    assert caught.value.code == code


def test_object_is_read_when_its_numbers_are_beyond_any_type():
    assert set(parse_object(b'{"a": 1e999, "b": ' + b"9" * 5000 + b', "c": "\\ud800"}')) == {"a", "b", "c"}


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5), st.booleans())
def test_members_are_the_values_as_written_when_an_object_is_walked(row, ascii_only):
    text = json.dumps(row, ensure_ascii=ascii_only)
    assert {key: json.loads(text[start:end]) for key, start, end in members(text)} == row
