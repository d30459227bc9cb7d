import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamate.engine.formats.json_table import schema_of_lines, table_of_lines


def table(*rows):
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    return table_of_lines(lines, schema_of_lines([lines[:1], lines[1:]]))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2**63 - 1, None], pa.int64()),
        ([True, False], pa.bool_()),
        (["a", "1"], pa.large_string()),
        ([1.5, -0.1], pa.float64()),
        ([1, 1.5], pa.float64()),
        ([None], pa.large_string()),
    ],
)
def test_column_has_its_own_type_when_its_values_agree(values, kind):
    found = table(*({"a": value} for value in values))
    assert found.schema.field("a").type == kind
    assert found.column("a").to_pylist() == values


@pytest.mark.parametrize(
    "values", [[1, "a"], [1, True], [2**53 + 1, 1.5], [[1, 2], None], [{"a": {"b": 1}}, {"a": 2}], ["x", {"y": 1}]]
)
def test_column_is_json_text_when_its_values_have_no_common_type(values):
    found = table(*({"a": value} for value in values))
    assert found.schema.field("a").metadata == {b"encoding": b"json"}
    decoded = [None if text is None else json.loads(text) for text in found.column("a").to_pylist()]
    assert decoded == values


@pytest.mark.parametrize("number", [b"123456789012345678901234567890", b"-9223372036854775809", b"1e999"])
def test_digits_are_kept_when_a_number_fits_no_type(number):
    assert table(b'{"a": ' + number + b"}", {"a": 1}).column("a").to_pylist() == [number.decode(), "1"]


def test_missing_keys_are_null_when_rows_differ():
    assert table({"a": 1}, {"b": "x"}).to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES | st.lists(VALUES, max_size=2)), min_size=1))
def test_no_value_is_lost_when_columns_hold_anything(rows):
    found = table(*({"text": "", **row} for row in rows))
    for row, read in zip(rows, found.to_pylist(), strict=True):
        for name, value in row.items():
            is_json = found.schema.field(name).metadata is not None
            back = json.loads(read[name]) if is_json and read[name] is not None else read[name]
            assert back == value
