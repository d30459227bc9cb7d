import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamate.engine.formats.batch import NewTexts
from datamate.engine.formats.jsonl import read_jsonl, whole_lines


def read(data: bytes, columns=("text",), first_ordinal=0):
    return list(read_jsonl(io.BytesIO(data), columns, first_ordinal=first_ordinal))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.integers(1, 50))
def test_lines_are_whole_when_blocks_cut_them(lines, block):
    data = b"".join(line + b"\n" for line in lines)
    found = list(whole_lines(io.BytesIO(data), block))
    assert [line for group, _ in found for line in group] == lines
    assert sum(size for _, size in found) == len(data)


def test_last_line_counts_when_it_has_no_newline():
    assert list(whole_lines(io.BytesIO(b"a\nb"), 10)) == [([b"a"], 2), ([b"b"], 1)]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "bad_json"),
        (b"\xff\xfe", "invalid_utf8"),
        (b'{"text": "\xff"}', "invalid_utf8"),
        (b'"text"', "not_an_object"),
        (b'["text"]', "not_an_object"),
        (b"{}", "missing_column"),
        (b'{"text": null}', "null_text"),
        (b'{"text": 3}', "not_text"),
        (b'{"text": {"a": "b"}}', "not_text"),
        (b'{"text": "\\ud800"}', "invalid_utf8"),
    ],
)
def test_bad_line_costs_only_itself_when_it_lies_between_good_ones(line, code):
    (batch,) = read(b'{"text": "a"}\n' + line + b'\n{"text": "b"}\n', first_ordinal=7)
    assert batch.texts["text"].to_list() == ["a", "b"]
    assert batch.ordinals.to_list() == [7, 9]
    ((bad),) = batch.bad
    assert (bad.ordinal, bad.code, bad.raw) == (8, code, line)
    assert bad.message
    assert batch.rows_in == 3


def test_blank_lines_are_no_rows_but_keep_their_numbers():
    (batch,) = read(b'\n{"text": "a"}\r\n  \n\t{"text": "b"} \n')
    assert batch.ordinals.to_list() == [1, 3]
    assert batch.rows.render(None, []) == [b'{"text": "a"}', b'{"text": "b"}']
    assert not batch.bad


def test_byte_order_mark_is_left_out_when_a_file_begins_with_one():
    (batch,) = read(b'\xef\xbb\xbf{"text": "a"}\n{"text": "b"}\n')
    assert batch.rows.render(None, []) == [b'{"text": "a"}', b'{"text": "b"}']


def test_rows_are_bad_when_one_of_several_columns_is():
    (batch,) = read(b'{"text": "a", "title": "t"}\n{"text": "b"}\n{"text": "c", "title": 1}\n', ("text", "title"))
    assert batch.texts.rows() == [("a", "t")]
    assert [bad.code for bad in batch.bad] == ["missing_column", "not_text"]


def test_changed_rows_are_rewritten_and_others_untouched_when_rendered():
    lines = [b'{ "n": 1.50, "text": "a"}', b'{"text":"b","big":123456789012345678901}', b'{"text": "c"}']
    (batch,) = read(b"\n".join(lines) + b"\n")
    texts = NewTexts("text", pl.Series(["a", 'B"\n']), pl.Series([False, True]))
    kept = pl.Series([True, True, False])
    assert batch.rows.render(kept, [texts]) == [lines[0], rb'{"text":"B\"\n","big":123456789012345678901}']
