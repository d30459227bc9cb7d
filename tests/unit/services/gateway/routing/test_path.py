from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamate.core.errors import InvalidInputError
from datamate.services.gateway.routing.path import canonical_path


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        (b"/", b"/"),
        (b"/api/v1/users", b"/api/v1/users"),
        (b"/api/v1/users/", b"/api/v1/users/"),
        (b"/a/.hidden/..x/x..", b"/a/.hidden/..x/x.."),
        (b"/%61pi", b"/api"),
        (b"/a%20b", b"/a%20b"),
        (b"/%e2%82%ac", b"/%E2%82%AC"),
        (b"/a;b=c,d:e@f!g$h&i'(j)*k+l", b"/a;b=c,d:e@f!g$h&i'(j)*k+l"),
        (b"/%7Euser", b"/~user"),
        (b"/a%3Bb", b"/a%3Bb"),
    ],
)
def test_path_has_one_form_when_it_has_one_reading(raw, canonical):
    assert canonical_path(raw) == canonical


@pytest.mark.parametrize(
    "raw", [b"", b"*", b"users", b"http://x/y", b"/a//b", b"//", b"/a/../b", b"/a/%2e/b", b"/a/.%2E"]
)
def test_path_is_refused_when_it_is_not_absolute_or_has_empty_or_dot_segments(raw):
    with pytest.raises(InvalidInputError):
        canonical_path(raw)


@pytest.mark.parametrize("code", [*range(0x20), 0x7F, ord("/"), ord("\\"), ord("%")])
def test_path_is_refused_when_it_holds_the_escape_of_a_separator_or_control(code):
    with pytest.raises(InvalidInputError, match=f"%{code:02X}"):
        canonical_path(b"/a%%%02x" % code)


@given(st.binary(max_size=40))
def test_canonical_form_is_stable_and_means_the_same_when_any_bytes_come(tail):
    try:
        path = canonical_path(b"/" + tail)
    except InvalidInputError:
        return
    assert canonical_path(path) == path
    assert unquote_to_bytes(path) == unquote_to_bytes(b"/" + tail)
    assert not {b".", b"..", b""} & set(unquote_to_bytes(path).split(b"/")[1:-1])


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/\\%"), min_size=1))
def test_any_ordinary_text_passes_when_it_is_escaped(text):
    raw = b"/x" + b"".join(b"%%%02x" % byte for byte in text.encode())
    assert unquote_to_bytes(canonical_path(raw)).decode() == "/x" + text
