import csv
import io

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamate.engine.errors import UnreadableInputError
from datamate.engine.formats.delimited import header_of, read_delimited
from datamate.engine.formats.kinds import FileKind


def read(data: bytes, kind=FileKind.CSV):
    return list(read_delimited(io.BytesIO(data), ["text"], kind=kind, name="a.csv"))


def rows(batches):
    return [orjson.loads(line) for batch in batches for line in batch.rows.render(None, [])]


FIELDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@settings(deadline=None)
@given(st.lists(st.tuples(FIELDS, FIELDS), max_size=10))
def test_fields_come_back_when_they_hold_anything(records):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("id", "text"), *records])
    assert rows(read(text.getvalue().encode())) == [{"id": left, "text": right} for left, right in records]


def test_values_stay_text_when_they_look_like_numbers():
    assert rows(read(b"id,text\n007,a\n1e5,b\n")) == [{"id": "007", "text": "a"}, {"id": "1e5", "text": "b"}]


def test_tabs_separate_when_the_file_is_tsv():
    assert rows(read(b"id\ttext\n1\ta,b\n", FileKind.TSV)) == [{"id": "1", "text": "a,b"}]


@pytest.mark.parametrize(
    ("record", "code"),
    [(b"1", "bad_csv"), (b"1,a,b", "bad_csv"), (b"\xff,a", "invalid_utf8"), (b'1,"a"b', "bad_csv")],
)
def test_bad_record_costs_only_itself_when_it_lies_between_good_ones(record, code):
    (batch,) = read(b"id,text\n0,x\n" + record + b"\r\n2,y\n")
    assert batch.texts["text"].to_list() == ["x", "y"]
    assert batch.ordinals.to_list() == [0, 2]
    (bad,) = batch.bad
    assert (bad.ordinal, bad.code, bad.raw) == (1, code, record)


def test_rest_of_the_file_is_one_bad_record_when_a_quote_is_never_closed():
    (batch,) = read(b'id,text\n0,x\n1,"never\n2,y\n')
    assert batch.ordinals.to_list() == [0]
    (bad,) = batch.bad
    assert (bad.ordinal, bad.raw) == (1, b'1,"never\n2,y')


def test_column_is_missing_in_each_row_when_the_header_lacks_it():
    (batch,) = read(b"id,body\n0,x\n\n1,y\n")
    assert [(bad.ordinal, bad.code) for bad in batch.bad] == [(0, "missing_column"), (1, "missing_column")]


def test_batches_are_bounded_when_a_file_is_large():
    batches = read(b"id,text\n" + b"1," + b"x" * 999 + b"\n" + (b"2," + b"y" * 1_000_000 + b"\n") * 9)
    assert [len(batch.rows) for batch in batches] == [4, 3, 3]
    assert [ordinal for batch in batches for ordinal in batch.ordinals] == list(range(10))


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"a,b,a\n", "names a twice"), (b"a,\xff\n", "not UTF-8"), (b'"a"b,c\n', "is broken")],
)
def test_file_is_refused_when_its_header_is_wrong(data, words):
    with pytest.raises(UnreadableInputError, match=words):
        read(data)


def test_header_is_empty_when_the_file_is():
    assert header_of(io.BytesIO(b""), kind=FileKind.CSV, name="a.csv") == []
    assert header_of(io.BytesIO(b"\xef\xbb\xbfid,text\n"), kind=FileKind.CSV, name="a.csv") == ["id", "text"]
    assert read(b"") == []
