"""Makes one Parquet file of the committed files of the last stage. Only runs that write Parquet import this."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from datamate.engine.formats.json_table import schema_of_lines, table_of_lines
from datamate.engine.formats.jsonl import whole_lines
from datamate.engine.formats.parquet import schema_of
from datamate.engine.formats.parquet_writer import write_tables
from datamate.engine.job import AttemptFiles, Job, ParquetTask

_ROW_GROUP_BYTES = 32 << 20


def assemble_parquet(job: Job, task: ParquetTask) -> None:
    """Write one Parquet file of the committed files of the last stage."""
    sources = [AttemptFiles(job.parts, base) for base in task.sources]
    schema, tables = _from_tables(job, sources) if job.has_tables else _from_lines(sources)
    write_tables(task.target, schema, tables)


def _from_tables(job: Job, sources: Sequence[AttemptFiles]) -> tuple[pa.Schema, Iterator[pa.Table]]:
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


def _from_lines(sources: Sequence[AttemptFiles]) -> tuple[pa.Schema, Iterator[pa.Table]]:
    paths = [source.lines for source in sources]
    schema = schema_of_lines(_line_batches(paths))
    return schema, (table_of_lines(lines, schema) for lines in _line_batches(paths))


def _line_batches(paths: Iterable[Path]) -> Iterator[list[bytes]]:
    for path in paths:
        with path.open("rb", buffering=0) as source:
            for lines, _ in whole_lines(source, _ROW_GROUP_BYTES):
                yield lines
