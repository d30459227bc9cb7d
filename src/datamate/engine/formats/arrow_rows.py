"""Rows as an Arrow table, with the types of the Parquet file they came from. Only runs with Parquet import this."""

import base64
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from math import isfinite

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from datamate.engine.formats.batch import NewTexts

_Convert = Callable[[object], object]


class ArrowRows:
    """Rows as an Arrow table."""

    def __init__(self, table: pa.Table) -> None:
        """Hold the table."""
        self.table = table

    def __len__(self) -> int:
        """Return how many rows there are."""
        count: int = self.table.num_rows
        return count

    def raw(self, row: int) -> bytes:
        """Return a row as JSON."""
        return lines_of_table(self.table.slice(row, 1))[0]

    def render_table(self, kept: pl.Series | None, texts: Sequence[NewTexts]) -> pa.Table:
        """Return the rows that are kept, with the new texts where any changed.

        Args:
            kept: Boolean for each row; None keeps all.
            texts: The text columns of the kept rows.
        """
        table = self.table if kept is None else self.table.filter(kept.to_arrow())
        for text in texts:
            if text.changed.any():
                place = table.schema.get_field_index(text.column)
                field = table.schema.field(place)
                table = table.set_column(place, field, text.values.to_arrow().cast(field.type))
        return table

    def render(self, kept: pl.Series | None, texts: Sequence[NewTexts]) -> list[bytes]:
        """Return the rows that are kept as lines of JSON, with the new texts."""
        return lines_of_table(self.render_table(kept, texts))


def lines_of_table(table: pa.Table) -> list[bytes]:
    """Return each row as a JSON object, without loss.

    Decimals keep their digits, times are ISO 8601, bytes are base64, and what JSON has no number for (NaN and the
    infinities) is text.
    """
    columns = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            # Python's datetime has no nanoseconds; Arrow writes them as text itself.
            columns[field.name] = column.cast(pa.string()).to_pylist()
            continue
        values = column.to_pylist()
        convert = _converter(field.type)
        columns[field.name] = values if convert is None else [convert(value) for value in values]
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    return [orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_NON_STR_KEYS) for row in rows]


def _converter(kind: pa.DataType) -> _Convert | None:
    """Return what turns values of a type into what orjson writes without loss, or None if it needs nothing."""
    plain = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean, pa.types.is_date)
    if any(is_plain(kind) for is_plain in plain):
        return None
    return _writable


def _writable(value: object) -> object:
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value).encode()) if value.is_finite() else str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _writable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    return str(value) if isinstance(value, timedelta) else value


def text_column(column: pa.ChunkedArray) -> pl.Series:
    """Return a column as String, null where it is null or not UTF-8 (which Parquet files may well hold)."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = pc.cast(column, kind.value_type)
    # Polars takes strings on trust, so they come as bytes and are checked by the cast.
    found = pl.from_arrow(column.cast(pa.large_binary()))
    assert isinstance(found, pl.Series)  # noqa: S101 - a column, not a table, went in
    try:
        return found.cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series([_decoded(value) for value in found.to_list()], dtype=pl.String)


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column of this type can hold text."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
