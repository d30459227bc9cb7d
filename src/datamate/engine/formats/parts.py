"""Reads the rows that an earlier stage passed on, without those that a deduplicator found."""

from collections.abc import Iterator, Sequence
from itertools import compress

import polars as pl

from datamate.engine.formats.batch import Batch
from datamate.engine.formats.json_rows import JsonRows, batch_of_lines
from datamate.engine.formats.jsonl import whole_lines
from datamate.engine.job import AttemptFiles


def read_part(files: AttemptFiles, columns: Sequence[str], ordinals: pl.Series, repeated: pl.Series) -> Iterator[Batch]:
    """Yield the rows of an attempt's file.

    Args:
        files: The attempt.
        columns: The text columns wanted.
        ordinals: The ordinal of each row of the file.
        repeated: Places in the file of rows to leave out.
    """
    kept = pl.repeat(True, len(ordinals), eager=True, dtype=pl.Boolean).scatter(repeated, False)
    if files.lines.exists():
        yield from _read_lines(files, columns, ordinals, kept)
        return
    # PyArrow takes a tenth of a second to import, which runs without Parquet need not wait for.
    from datamate.engine.formats.parquet import read_table_part

    yield from read_table_part(files.table, columns, ordinals, kept)


def _read_lines(files: AttemptFiles, columns: Sequence[str], ordinals: pl.Series, kept: pl.Series) -> Iterator[Batch]:
    with files.lines.open("rb", buffering=0) as source:
        start = 0
        for lines, bytes_read in whole_lines(source):
            stop = start + len(lines)
            mask = kept[start:stop]
            left = list(compress(lines, mask.to_list()))
            numbers = ordinals[start:stop].filter(mask)
            if columns:
                batch = batch_of_lines(left, columns, first_ordinal=0, bytes_read=bytes_read)
                yield batch.renumbered(numbers.to_list(), ())
            else:
                yield Batch(JsonRows(left), pl.DataFrame(), numbers, bytes_read=bytes_read)
            start = stop
