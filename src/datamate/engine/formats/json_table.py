"""Turns lines of JSON into Arrow tables that hold every value exactly, however the rows differ.

A column whose values are all of one scalar type gets that type. What has no exact type of its own stays JSON text:
arrays and objects, integers beyond 64 bits, and columns whose values are of several types; the field's metadata then
says `encoding: json`. A key that a row lacks is null. Only runs that write Parquet import this.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from datamate.engine.formats.json_text import members, parse_object

_JSON = {b"encoding": b"json"}
_SCALARS = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.large_string()}
_INT64_LIMIT = 2**63
_EXACT_IN_DOUBLE = 2**53


@dataclass(slots=True)
class ColumnTypes:
    """The Python types of the values of one column, null left out."""

    types: set[type] = field(default_factory=set)
    largest: int = 0
    beyond_int64: bool = False

    def add(self, value: object) -> None:
        """Take one more value into account."""
        kind = type(value)
        if kind is int:
            self.largest = max(self.largest, abs(value))  # type: ignore[arg-type]  # an int
        elif kind is float and abs(value) >= _INT64_LIMIT:  # type: ignore[arg-type]  # a float
            # The parser gives integers beyond 64 bits as floats, which lose digits.
            self.beyond_int64 = True
        if value is not None:
            self.types.add(kind)

    def arrow_type(self) -> pa.DataType | None:
        """Return the type that holds all values exactly, or None if only JSON text does."""
        if not self.types:
            return pa.large_string()
        if self.beyond_int64 or self.largest >= _INT64_LIMIT:
            return None
        if self.types == {int, float} and self.largest <= _EXACT_IN_DOUBLE:
            return pa.float64()
        return _SCALARS.get(next(iter(self.types))) if len(self.types) == 1 else None


def schema_of_lines(batches: Iterable[Sequence[bytes]]) -> pa.Schema:
    """Return the schema for rows of JSON, with columns in the order in which they first occur."""
    columns: dict[str, ColumnTypes] = {}
    for lines in batches:
        for line in lines:
            for name, value in parse_object(line).items():
                if name not in columns:
                    columns[name] = ColumnTypes()
                columns[name].add(value)
    return pa.schema([_field(name, types.arrow_type()) for name, types in columns.items()])


def table_of_lines(lines: Sequence[bytes], schema: pa.Schema) -> pa.Table:
    """Return rows of JSON as a table of a schema made for them."""
    encoded = {item.name for item in schema if item.metadata == _JSON}
    rows = [_row(line, encoded) for line in lines]
    arrays = [pa.array([row.get(item.name) for row in rows], item.type) for item in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _field(name: str, kind: pa.DataType | None) -> pa.Field:
    return pa.field(name, pa.large_string(), metadata=_JSON) if kind is None else pa.field(name, kind)


def _row(line: bytes, encoded: set[str]) -> Mapping[str, object]:
    """Return the values of a row, those of the `encoded` columns as JSON text."""
    row = parse_object(line)
    if not encoded:
        return row
    text = line.decode()
    raw = {key: text[start:end] for key, start, end in members(text) if key in encoded}
    return {**row, **{key: None if value == "null" else value for key, value in raw.items()}}
