"""Finds the rows that repeat the key of an earlier row, over all partitions, in memory that does not grow.

Keys are compared bucket by bucket; a bucket holds the keys with the same remainder, so equal keys always meet. The
first row in the order of the input stays, whatever order the partitions were processed in.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from datamate.engine.files import writing_to

_KEY, _PARTITION, _ROW, _ORDINAL = "key", "partition", "row", "ordinal"


def write_keys(path: Path, ordinals: pl.Series, keys: pl.Series | None) -> None:
    """Write the ordinal, and the key if there is one, of each row that a stage passes on."""
    frame = pl.DataFrame({_ORDINAL: ordinals, **({} if keys is None else {_KEY: keys})})
    with writing_to(path):
        frame.write_ipc(path)


def read_ordinals(path: Path) -> pl.Series:
    """Return the ordinals of the rows that a stage passed on, in order."""
    return pl.read_ipc(path, columns=[_ORDINAL]).to_series()


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
    with writing_to(target):
        repeated.write_ipc(target)


def read_duplicates(paths: Iterable[Path], partition: int) -> pl.Series:
    """Return the rows of a partition that repeat an earlier key, as UInt32, in no particular order."""
    found = [
        pl.read_ipc(path).filter(pl.col(_PARTITION) == partition).get_column(_ROW)  # a bucket's repeats, not its keys
        for path in paths
    ]
    return pl.concat(found) if found else pl.Series(dtype=pl.UInt32)


def _read_bucket(path: Path, partition: int, bucket: int, buckets: int) -> pl.DataFrame:
    keys = pl.read_ipc(path, columns=[_KEY])
    rows = keys.select(
        pl.lit(partition, pl.UInt32).alias(_PARTITION),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias(_ROW),
        pl.col(_KEY),
    )
    if buckets == 1:
        return rows
    # Keys are digests, so their first bytes are spread evenly.
    number = pl.col(_KEY).bin.slice(0, 4).bin.reinterpret(dtype=pl.UInt32, endianness="big")
    return rows.filter(number % buckets == bucket)
