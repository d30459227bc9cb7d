"""Which paths a file may have."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamate.services.data_management.versions.errors import InvalidPathError
from datamate.services.data_management.versions.media_types import media_type_of
from datamate.services.data_management.versions.paths import normal_path


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "empty"),
        ("/etc/passwd", "relative"),
        ("../x", "segment .."),
        ("a/../../x", "segment .."),
        ("a/..", "segment .."),
        ("./a", "segment ."),
        ("a//b", "empty segment"),
        ("a/", "empty segment"),
        ("a\\b", "backslash"),
        ("a\x00b", "control character"),
        ("a\nb", "control character"),
        ("a\x7fb", "control character"),
        ("a\x9fb", "control character"),
        ("a\u202eb", "reordering"),
        ("a\u2066b", "reordering"),
        ("a\u2028b", "line separator"),
        ("a\u2029b", "paragraph separator"),
        ("a\ud800b", "surrogate"),
        ("x" * 256, "255 bytes"),
        ("é" * 128, "255 bytes"),
        ("/".join(["x" * 200] * 6), "1024 bytes"),
    ],
)
def test_a_path_that_could_harm_is_refused(path, reason):
    with pytest.raises(InvalidPathError, match=reason) as refused:
        normal_path(path, field="files.3.path")
    assert refused.value.errors[0].field == "files.3.path"
    assert refused.value.detail.isprintable()


@pytest.mark.parametrize(
    "path", ["a", "..a", "a..", ".x/...", "A/a", " ", "日本/😀", "x" * 255, "/".join(["x" * 127] * 8)]
)
def test_a_path_that_cannot_harm_is_kept(path):
    assert normal_path(path) == path


@given(st.text(max_size=40))
def test_a_path_that_passes_is_normal_relative_and_stays_so(text):
    try:
        path = normal_path(text)
    except InvalidPathError:
        return
    assert path == unicodedata.normalize("NFC", text)
    assert normal_path(path) == path
    assert not {"", ".", ".."} & set(path.split("/"))


@pytest.mark.parametrize(
    ("path", "claimed", "expected"),
    [
        ("a.jsonl", None, "application/jsonl"),
        ("a.PARQUET", "text/html", "application/vnd.apache.parquet"),
        ("a.md", None, "text/markdown"),
        ("a.csv", None, "text/csv"),
        ("a.html", None, "text/html"),
        ("a.tar.gz", None, "application/gzip"),
        ("folder.txt/a", None, "application/octet-stream"),
        ("a", "image/x-odd; q=1", "image/x-odd"),
        ("a", "application/x-www-form-urlencoded", "application/octet-stream"),
        ("a", "text/html\r\nx: y", "application/octet-stream"),
        ("a", "<script>", "application/octet-stream"),
        (".bashrc", None, "application/octet-stream"),
    ],
)
def test_the_media_type_follows_the_extension_then_the_client(path, claimed, expected):
    assert media_type_of(path, claimed=claimed) == expected
