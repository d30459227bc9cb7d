"""Preconditions and ranges of RFC 9110, without a server."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamate.services.data_management.files.content import attachment
from datamate.services.data_management.files.ranges import Representation, Selection, select_bytes

TARGET = Representation('"abc"', datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC), 10)
EMPTY = Representation('"e"', datetime(2026, 3, 1, tzinfo=UTC), 0)
NOW = "Sun, 01 Mar 2026 12:00:00 GMT"
BEFORE = "Sun, 01 Mar 2026 11:59:59 GMT"
AFTER = "Sun, 01 Mar 2026 12:00:01 GMT"
WHOLE = Selection(200, 0, 10)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes=0-", (206, 0, 10)),
        ("bytes=0-0", (206, 0, 1)),
        ("bytes=3-5", (206, 3, 6)),
        ("bytes=3-99", (206, 3, 10)),
        ("bytes=9-", (206, 9, 10)),
        ("bytes=-1", (206, 9, 10)),
        ("bytes=-99", (206, 0, 10)),
        ("BYTES= 3-5 ", (206, 3, 6)),
        ("bytes=10-", (416, 0, 10)),
        ("bytes=99-100", (416, 0, 10)),
        ("bytes=-0", (416, 0, 10)),
        ("bytes=5-3", (200, 0, 10)),
        ("bytes=-", (200, 0, 10)),
        ("bytes=a-b", (200, 0, 10)),
        ("bytes=0-1,3-4", (200, 0, 10)),
        ("items=0-1", (200, 0, 10)),
        ("bytes=" + "9" * 30 + "-", (200, 0, 10)),
        ("", (200, 0, 10)),
    ],
)
def test_a_range_selects_bytes(field, expected):
    assert select_bytes({"range": field}, TARGET) == Selection(*expected)


@pytest.mark.parametrize(("field", "status"), [("bytes=0-", 416), ("bytes=-5", 416), ("bytes=0-0", 416), ("", 200)])
def test_an_empty_file_has_no_part(field, status):
    assert select_bytes({"range": field}, EMPTY).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-match": '"abc"'}, 200),
        ({"if-match": '"x", "abc"'}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": '"x"'}, 412),
        ({"if-match": 'W/"abc"'}, 412),
        ({"if-unmodified-since": BEFORE}, 412),
        ({"if-unmodified-since": NOW}, 200),
        ({"if-unmodified-since": "yesterday"}, 200),
        ({"if-match": '"abc"', "if-unmodified-since": BEFORE}, 200),
        ({"if-none-match": '"abc"'}, 304),
        ({"if-none-match": 'W/"abc"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"x"'}, 200),
        ({"if-none-match": '"x"', "if-modified-since": AFTER}, 200),
        ({"if-modified-since": NOW}, 304),
        ({"if-modified-since": AFTER}, 304),
        ({"if-modified-since": BEFORE}, 200),
        ({"if-modified-since": "Sun, 01 Mar 2026 12:00:00 -0000"}, 304),
        ({"if-none-match": '"abc"', "range": "bytes=99-"}, 304),
        ({"range": "bytes=0-1", "if-range": '"abc"'}, 206),
        ({"range": "bytes=0-1", "if-range": 'W/"abc"'}, 200),
        ({"range": "bytes=0-1", "if-range": '"x"'}, 200),
        ({"range": "bytes=0-1", "if-range": NOW}, 206),
        ({"range": "bytes=0-1", "if-range": AFTER}, 200),
        ({"range": "bytes=0-1", "if-range": "nonsense"}, 200),
        ({"range": "bytes=99-", "if-range": '"x"'}, 200),
    ],
)
def test_preconditions_decide_before_ranges(headers, status):
    assert select_bytes(headers, TARGET).status == status


@given(st.text(max_size=30), st.integers(0, 1000))
def test_no_range_reaches_outside_the_file(field, size):
    target = Representation('"x"', TARGET.modified_at, size)
    chosen = select_bytes({"range": "bytes=" + field}, target)
    assert 0 <= chosen.start <= chosen.end <= size
    assert chosen.status in {200, 206, 416}
    assert chosen.status != 206 or chosen.start < chosen.end


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ('a".txt', "attachment; filename=\"a_.txt\"; filename*=UTF-8''a%22.txt"),
        ("a;b.txt", "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%3Bb.txt"),
        ("ü.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%BC.txt"),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
    ],
)
def test_any_name_can_be_saved(name, header):
    assert attachment(name) == header
