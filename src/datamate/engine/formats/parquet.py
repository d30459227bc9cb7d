"""Reads Parquet by row groups. Only runs with Parquet import this."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from datamate.engine.errors import UnreadableInputError
from datamate.engine.formats.arrow_rows import ArrowRows, text_column
from datamate.engine.formats.batch import BATCH_BYTES, BadRow, Batch
from datamate.engine.formats.compression import RangeSource
from datamate.engine.inputs import ByteReader, InputFile, open_input


def row_group_spans(file: InputFile, target_bytes: int) -> Iterator[tuple[int, int, int]]:
    """Yield (first row group, one past the last, first row) of runs of row groups of about `target_bytes`.

    Raises:
        UnreadableInputError: The file is no Parquet, or broken.
    """
    with open_input(file) as reader:
        metadata = _open(reader, file).metadata
        sizes = [
            (metadata.row_group(group).total_byte_size, metadata.row_group(group).num_rows)
            for group in range(metadata.num_row_groups)
        ]
    start, first_row, size, rows = 0, 0, 0, 0
    for group, (group_bytes, group_rows) in enumerate(sizes):
        size += group_bytes
        rows += group_rows
        if size >= target_bytes or group == len(sizes) - 1:
            yield (start, group + 1, first_row)
            start, first_row, size = group + 1, rows, 0


def schema_of(file: InputFile) -> pa.Schema:
    """Return the schema of a file.

    Raises:
        UnreadableInputError: The file is no Parquet, or broken.
    """
    with open_input(file) as reader:
        return _open(reader, file).schema_arrow


def read_parquet(
    reader: ByteReader, file: InputFile, columns: Sequence[str], *, groups: range, first_ordinal: int
) -> Iterator[Batch]:
    """Yield the rows of some row groups.

    Args:
        reader: The file's bytes.
        file: The file, for errors.
        columns: The text columns wanted.
        groups: The row groups.
        first_ordinal: Number of the first row, from 0 at the beginning of the file.

    Raises:
        UnreadableInputError: The file is broken.
    """
    source = _open(reader, file)
    ordinal = first_ordinal
    try:
        for group in groups:
            metadata = source.metadata.row_group(group)
            rows_per_batch = max(1, metadata.num_rows * BATCH_BYTES // max(1, metadata.total_byte_size))
            for part in source.iter_batches(batch_size=rows_per_batch, row_groups=[group], use_threads=False):
                size = metadata.total_byte_size * part.num_rows // max(1, metadata.num_rows)
                yield _batch(pa.Table.from_batches([part]), columns, ordinal, size)
                ordinal += part.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _broken(file, error) from error


def _open(reader: ByteReader, file: InputFile) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(RangeSource(reader, 0, reader.size_bytes))
    except (pa.ArrowException, OSError) as error:
        raise _broken(file, error) from error


def _broken(file: InputFile, error: Exception) -> UnreadableInputError:
    reason = str(error).partition("\n")[0]
    return UnreadableInputError(f"{file.name} cannot be read as Parquet: {reason}. Is it complete?")


def _batch(table: pa.Table, columns: Sequence[str], first_ordinal: int, size: int) -> Batch:
    ordinals = pl.int_range(first_ordinal, first_ordinal + table.num_rows, eager=True, dtype=pl.UInt64)
    texts = pl.DataFrame({column: text_column(table.column(column)) for column in columns})
    rows = ArrowRows(table)
    if not sum(series.null_count() for series in texts):
        return Batch(rows, texts, ordinals, bytes_read=size)
    good = texts.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
    bad = [_bad_row(rows, texts, row, first_ordinal) for row in (~good).arg_true()]
    kept = ArrowRows(table.filter(good.to_arrow()))
    return Batch(kept, texts.filter(good), ordinals.filter(good), bad, size)


def _bad_row(rows: ArrowRows, texts: pl.DataFrame, row: int, first_ordinal: int) -> BadRow:
    column = next(series.name for series in texts if series[row] is None)
    value = rows.table.column(column)[row]
    ordinal = first_ordinal + row
    if not value.is_valid:
        return BadRow(ordinal, "null_text", f"'{column}' is null", rows.raw(row))
    # The text has no JSON form either, so its bytes take the row's place.
    return BadRow(ordinal, "invalid_utf8", f"'{column}' is not UTF-8", value.cast(pa.large_binary()).as_py())


def read_table_part(path: Path, columns: Sequence[str], ordinals: pl.Series, kept: pl.Series) -> Iterator[Batch]:
    """Yield the rows of an attempt's file, without those that are not kept.

    Args:
        path: The file; if there is none, there are no rows.
        columns: The text columns wanted.
        ordinals: The ordinal of each row of the file.
        kept: Which rows to read, for each row of the file.
    """
    if not path.exists():
        return
    start = 0
    with pq.ParquetFile(path) as source:
        for group in range(source.metadata.num_row_groups):
            table = source.read_row_group(group, use_threads=False)
            mask = kept[start : start + table.num_rows]
            numbers = ordinals[start : start + table.num_rows].filter(mask)
            start += table.num_rows
            table = table.filter(mask.to_arrow())
            texts = pl.DataFrame({column: text_column(table.column(column)) for column in columns})
            yield Batch(ArrowRows(table), texts, numbers, bytes_read=table.nbytes)
