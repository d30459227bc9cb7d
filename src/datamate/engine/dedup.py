"""Finds the rows that repeat the key of an earlier row, over all partitions, in memory that does not grow.

Keys are compared bucket by bucket; a bucket holds the keys with the same remainder, so equal keys always meet. The
first row in the order of the input stays, whatever order the partitions were processed in.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl

from datamate.engine.files import writing_to

_KEY, _PARTITION, _ROW, _ORDINAL, _BYTES = "key", "partition", "row", "ordinal", "bytes"


@dataclass(frozen=True, slots=True)
class PassedRows:
    """What is kept in memory and on disk beside the rows that a stage passes on.

    Attributes:
        ordinals: The ordinal of each row.
        keys: The deduplicator's key of each row, if the stage ends with one.
        row_bytes: The size of each row in the attempt's file; empty if rows have none of their own.
    """

    ordinals: pl.Series
    keys: pl.Series | None
    row_bytes: Sequence[int]

    def write(self, path: Path) -> None:
        """Write it beside the attempt's file."""
        columns = {_ORDINAL: self.ordinals}
        if self.keys is not None:
            columns[_KEY] = self.keys
        if self.row_bytes:
            columns[_BYTES] = pl.Series(self.row_bytes, dtype=pl.UInt64)
        _write(path, pl.DataFrame(columns))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return ordinals and sizes of an attempt; the keys stay where they are."""
        frame = pl.read_ipc_stream(path)
        sizes = frame[_BYTES].to_list() if _BYTES in frame.columns else []
        return cls(frame[_ORDINAL], None, sizes)


def find_duplicates(sources: Sequence[Path], target: Path, *, bucket: int, buckets: int) -> None:
    """Write which rows of which partitions repeat an earlier key of one bucket.

    Args:
        sources: The key files in the order of the partitions.
        target: The file to write: partition and row, ascending.
        bucket: The bucket.
        buckets: How many there are.
    """
    frames = [_read_bucket(path, partition, bucket, buckets) for partition, path in enumerate(sources)]
    keys = pl.concat(frames)
    repeated = keys.filter(~keys[_KEY].is_first_distinct()).select(_PARTITION, _ROW)
    _write(target, repeated)


def read_duplicates(paths: Iterable[Path], partition: int) -> pl.Series:
    """Return the rows of a partition that repeat an earlier key, as UInt32, in no particular order."""
    found = [repeated[_ROW].filter(repeated[_PARTITION] == partition) for repeated in map(pl.read_ipc_stream, paths)]
    return pl.concat(found) if found else pl.Series(dtype=pl.UInt32)


def _write(path: Path, frame: pl.DataFrame) -> None:
    # As a stream of record batches: the format for files goes through a query of its own, both ways, at 0.5 ms each.
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer)
    with writing_to(path):
        path.write_bytes(buffer.getbuffer())


def _read_bucket(path: Path, partition: int, bucket: int, buckets: int) -> pl.DataFrame:
    keys = pl.read_ipc_stream(path, columns=[_KEY])
    number = pl.Series(_PARTITION, [partition], dtype=pl.UInt32).new_from_index(0, keys.height)
    rows = pl.DataFrame([number, pl.int_range(keys.height, eager=True, dtype=pl.UInt32).alias(_ROW), keys[_KEY]])
    if buckets == 1:
        return rows
    # Keys are digests, so their first bytes are spread evenly.
    beginning = pl.col(_KEY).bin.slice(0, 4).bin.reinterpret(dtype=pl.UInt32, endianness="big")
    return rows.filter(beginning % buckets == bucket)
