from hashlib import blake2b

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamate.engine.dedup import PassedRows, find_duplicates, read_duplicates


def key(value: int) -> bytes:
    return blake2b(str(value).encode(), digest_size=16).digest()


@pytest.mark.parametrize("buckets", [1, 7])
@settings(max_examples=25, deadline=None)
@given(partitions=st.lists(st.lists(st.integers(0, 12), max_size=12), min_size=1, max_size=5))
def test_first_row_of_each_key_stays_when_keys_repeat_within_and_across_partitions(
    tmp_path_factory, buckets, partitions
):
    folder = tmp_path_factory.mktemp("keys")
    sources = []
    for number, values in enumerate(partitions):
        sources.append(folder / f"{number}.arrow")
        ordinals = pl.Series([100 + place for place in range(len(values))], dtype=pl.UInt64)
        keys = pl.Series([key(value) for value in values], dtype=pl.Binary)
        PassedRows(ordinals, keys, list(range(len(values)))).write(sources[-1])
        passed = PassedRows.read(sources[-1])
        assert (passed.ordinals.to_list(), passed.row_bytes) == (ordinals.to_list(), list(range(len(values))))
    targets = []
    for bucket in range(buckets):
        targets.append(folder / f"duplicates{bucket}.arrow")
        find_duplicates(sources, targets[-1], bucket=bucket, buckets=buckets)
    seen: set[int] = set()
    for number, values in enumerate(partitions):
        repeated = [place for place, value in enumerate(values) if value in seen or seen.add(value)]
        assert sorted(read_duplicates(targets, number)) == repeated


def test_there_are_no_duplicates_when_nothing_was_compared():
    assert read_duplicates([], 0).to_list() == []
