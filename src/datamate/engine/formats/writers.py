"""Writes the rows that leave a stage into the file of one attempt at one partition."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import polars as pl

from datamate.engine.files import writing_to
from datamate.engine.formats.batch import NewTexts, Rows


class PartWriter(Protocol):
    """A file of rows that grows by batches."""

    def write(self, rows: Rows, kept: pl.Series | None, texts: Sequence[NewTexts]) -> None:
        """Append the rows that are kept, with their new texts."""

    @property
    def size_bytes(self) -> int:
        """The size of the finished file."""

    @property
    def row_bytes(self) -> Sequence[int]:
        """The size of each row in the file; empty if rows have none of their own."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class JsonlWriter:
    """Writes lines of JSON, from rows of any form."""

    def __init__(self, path: Path) -> None:
        """Create the file."""
        self._path = path
        with writing_to(path):
            self._file = path.open("wb", buffering=0)
        self.size_bytes = 0
        self.row_bytes = array("Q")

    def write(self, rows: Rows, kept: pl.Series | None, texts: Sequence[NewTexts]) -> None:
        """Append the rows that are kept, with their new texts."""
        lines = rows.render(kept, texts)
        if lines:
            self.row_bytes.extend(len(line) + 1 for line in lines)
            lines.append(b"")
            self._append(b"\n".join(lines))

    def _append(self, data: bytes) -> None:
        with writing_to(self._path):
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        self.size_bytes += len(data)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file."""
        with writing_to(self._path):
            self._file.close()


def open_part(path: Path) -> PartWriter:
    """Return a writer of lines of JSON, or, if the path says so, of Parquet, which takes Arrow rows only."""
    if path.suffix == ".jsonl":
        return JsonlWriter(path)
    # PyArrow takes a tenth of a second to import, which runs without Parquet need not wait for.
    from datamate.engine.formats.parquet_writer import ParquetPartWriter

    return ParquetPartWriter(path)
