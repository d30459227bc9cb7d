"""Makes the output of the committed files of the last stage."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from datamate.engine.files import append_file, writing_to
from datamate.engine.formats.jsonl import whole_lines
from datamate.engine.job import AttemptFiles, Job, ParquetTask

if TYPE_CHECKING:
    import pyarrow as pa

_ROW_GROUP_BYTES = 32 << 20


class LinesOutput:
    """One file of lines, to which the files of partitions are appended in order as they are committed.

    It becomes visible under its name by `publish`, whole.
    """

    def __init__(self, partial: Path) -> None:
        """Begin with an empty file."""
        self._partial = partial
        with writing_to(partial):
            self._file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)

    def append(self, part: Path) -> None:
        """Append a file; the disk writes it while the next partition is computed."""
        with writing_to(self._partial):
            append_file(self._file, part)

    def close(self) -> None:
        """Wait until all is on the disk."""
        with writing_to(self._partial):
            os.fdatasync(self._file)
            os.close(self._file)


def assemble_parquet(job: Job, task: ParquetTask) -> None:
    """Write one Parquet file of the committed files of the last stage."""
    # PyArrow takes a tenth of a second to import, which runs without Parquet need not wait for.
    from datamate.engine.formats.parquet_writer import write_tables

    sources = [AttemptFiles(job.parts, base) for base in task.sources]
    schema, tables = _from_tables(job, sources) if job.has_tables else _from_lines(sources)
    write_tables(task.target, schema, tables)


def _from_tables(job: Job, sources: Sequence[AttemptFiles]) -> "tuple[pa.Schema, Iterator[pa.Table]]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    from datamate.engine.formats.parquet import schema_of

    paths = [source.table for source in sources if source.table.exists()]
    schema = pq.read_schema(paths[0]) if paths else schema_of(job.files[0])

    def row_groups() -> Iterator[pa.Table]:
        for path in paths:
            with pq.ParquetFile(path) as part:
                for group in range(part.num_row_groups):
                    yield part.read_row_group(group, use_threads=False)

    def joined() -> Iterator[pa.Table]:
        pending: list[pa.Table] = []
        for table in row_groups():
            pending.append(table)
            if sum(item.nbytes for item in pending) >= _ROW_GROUP_BYTES:
                yield pa.concat_tables(pending)
                pending = []
        if pending:
            yield pa.concat_tables(pending)

    return schema, joined()


def _from_lines(sources: Sequence[AttemptFiles]) -> "tuple[pa.Schema, Iterator[pa.Table]]":
    from datamate.engine.formats.json_table import schema_of_lines, table_of_lines

    paths = [source.lines for source in sources]
    schema = schema_of_lines(_line_batches(paths))
    return schema, (table_of_lines(lines, schema) for lines in _line_batches(paths))


def _line_batches(paths: Iterable[Path]) -> Iterator[list[bytes]]:
    for path in paths:
        with path.open("rb", buffering=0) as source:
            for lines, _ in whole_lines(source, _ROW_GROUP_BYTES):
                yield lines
