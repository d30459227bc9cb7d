from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datamate.engine.errors import UnreadableInputError
from datamate.engine.formats.arrow_rows import ArrowRows, lines_of_table
from datamate.engine.formats.batch import NewTexts
from datamate.engine.formats.parquet import read_parquet, row_group_spans, schema_of
from datamate.engine.formats.parquet_writer import ParquetPartWriter
from datamate.engine.inputs import discover_inputs, open_input


@pytest.fixture
def parquet_file(tmp_path):
    def write(table, **options):
        pq.write_table(table, tmp_path / "a.parquet", **options)
        return discover_inputs(str(tmp_path / "a.parquet"))[0]

    return write


def read(file, columns=("text",), groups=None, first_ordinal=0):
    with open_input(file) as reader:
        groups = groups or range(pq.ParquetFile(file.location).num_row_groups)
        return list(read_parquet(reader, file, columns, groups=groups, first_ordinal=first_ordinal))


def test_row_groups_are_grouped_when_they_are_small(parquet_file):
    file = parquet_file(pa.table({"text": ["x" * 1000] * 10}), row_group_size=2, use_dictionary=False)
    spans = list(row_group_spans(file, 4000))
    assert [start for start, _, _ in spans] == [0, *(end for _, end, _ in spans[:-1])]
    assert spans[-1][1] == 5
    assert [first_row for _, _, first_row in spans] == [start * 2 for start, _, _ in spans]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string()), pa.string_view()]
)
def test_texts_are_read_when_their_type_can_hold_text(parquet_file, kind):
    (batch,) = read(parquet_file(pa.table({"text": pa.array(["a", "ä"]).cast(kind)})))
    assert batch.texts["text"].to_list() == ["a", "ä"]


def test_bad_rows_are_told_when_texts_are_null_or_not_utf8(parquet_file):
    text = pa.array([b"a", None, b"\xff", b"d"], pa.binary())
    (batch,) = read(parquet_file(pa.table({"id": [1, 2, 3, 4], "text": text})), first_ordinal=10)
    assert batch.texts["text"].to_list() == ["a", "d"]
    assert batch.ordinals.to_list() == [10, 13]
    assert [(bad.ordinal, bad.code) for bad in batch.bad] == [(11, "null_text"), (12, "invalid_utf8")]
    assert orjson.loads(batch.bad[0].raw) == {"id": 2, "text": None}
    assert batch.bad[1].raw == b"\xff"


def test_types_and_values_stay_when_rows_are_rendered():
    table = pa.table({"n": pa.array([1, 2], pa.int8()), "text": pa.array(["a", "b"], pa.large_string())})
    texts = NewTexts("text", pl.Series(["B"]), pl.Series([True]))
    found = ArrowRows(table).render_table(pl.Series([False, True]), [texts])
    assert found.schema == table.schema
    assert found.to_pylist() == [{"n": 2, "text": "B"}]


def test_json_keeps_every_value_when_types_have_none_of_their_own():
    table = pa.table(
        {
            "decimal": pa.array([Decimal("1.10")]),
            "bytes": pa.array([b"\xff\x00"]),
            "nan": pa.array([float("nan")]),
            "date": pa.array([date(2026, 1, 2)]),
            "time": pa.array([datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "nanoseconds": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns")),
            "duration": pa.array([timedelta(seconds=1.5)]),
            "nested": pa.array([{"a": [1, None], "b": Decimal("2.50")}]),
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
            "big": pa.array([2**63 - 1]),
        }
    )
    (line,) = lines_of_table(table)
    assert b'"decimal":1.10' in line
    assert b'"b":2.50' in line
    found = orjson.loads(line)
    assert found["bytes"] == "/wA="
    assert found["nan"] == "nan"
    assert found["date"] == "2026-01-02"
    assert found["time"] == "2026-01-02T03:04:05.000006+00:00"
    assert found["nanoseconds"] == "2023-11-14 22:13:20.123456789"
    assert found["duration"] == "0:00:01.500000"
    assert found["map"] == [["k", 1]]
    assert found["big"] == 2**63 - 1


def test_file_is_named_when_it_is_no_parquet(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 not really PAR1")
    (file,) = discover_inputs(str(tmp_path / "a.parquet"))
    with pytest.raises(UnreadableInputError, match=r"a\.parquet cannot be read as Parquet"):
        schema_of(file)


def test_part_writer_refuses_rows_when_they_have_no_types(tmp_path):
    with pytest.raises(TypeError), ParquetPartWriter(tmp_path / "a.parquet") as writer:
        writer.write(object(), None, [])
    assert writer.size_bytes == 0
