"""Writes Parquet. Only runs with Parquet import this."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from datamate.engine.files import writing_to
from datamate.engine.formats.arrow_rows import ArrowRows
from datamate.engine.formats.batch import NewTexts, Rows

_COMPRESSION = "zstd"


class ParquetPartWriter:
    """Writes Arrow rows as they are typed; without a batch there is no file."""

    def __init__(self, path: Path) -> None:
        """Prepare the file, which the first batch creates."""
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self.row_bytes: Sequence[int] = ()

    def write(self, rows: Rows, kept: pl.Series | None, texts: Sequence[NewTexts]) -> None:
        """Append the rows that are kept, with their new texts."""
        if not isinstance(rows, ArrowRows):
            raise TypeError(f"{type(rows).__name__} have no Arrow types; write them as lines of JSON")
        table = rows.render_table(kept, texts)
        with writing_to(self._path):
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._path, table.schema, compression=_COMPRESSION)
            if table.num_rows:
                self._writer.write_table(table)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Finish the file."""
        with writing_to(self._path):
            if self._writer is not None:
                self._writer.close()

    @property
    def size_bytes(self) -> int:
        """The size of the finished file; 0 if no batch came."""
        return self._path.stat().st_size if self._writer is not None else 0


def write_tables(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write one Parquet file, a row group for each table that has rows."""
    with writing_to(path), pq.ParquetWriter(path, schema, compression=_COMPRESSION) as writer:
        for table in tables:
            if table.num_rows:
                writer.write_table(table)
