"""Finds the rows that repeat the key of an earlier row, over all partitions, in memory that does not grow.

Keys are compared bucket by bucket; a bucket holds the keys with the same remainder, so equal keys always meet. The
first row in the order of the input stays, whatever order the partitions were processed in.
"""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from datamate.engine.files import writing_to

_KEY, _PARTITION, _ROW, _ORDINAL = "key", "partition", "row", "ordinal"


def write_keys(path: Path, ordinals: pl.Series, keys: pl.Series | None) -> None:
    """Write the ordinal, and the key if there is one, of each row that a stage passes on."""
    frame = pl.DataFrame({_ORDINAL: ordinals, **({} if keys is None else {_KEY: keys})})
    _write(path, frame)


def read_ordinals(path: Path) -> pl.Series:
    """Return the ordinals of the rows that a stage passed on, in order."""
    return pl.read_ipc_stream(path, columns=[_ORDINAL]).to_series()


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
