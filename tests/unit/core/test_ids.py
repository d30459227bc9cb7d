"""Identifiers are UUIDv7 and sort by time."""

import time

from datamate.core.ids import new_id, uuid7


def test_uuid7_has_version_and_variant_of_rfc_9562():
    identifier = uuid7()
    assert identifier.version == 7
    assert identifier.variant == "specified in RFC 4122"


def test_ids_are_distinct_when_made_in_one_millisecond():
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_ids_sort_by_time_when_made_in_later_milliseconds():
    made = []
    for _ in range(5):
        made.append(new_id())
        time.sleep(0.002)
    assert made == sorted(made)


def test_timestamp_is_unix_milliseconds():
    before = time.time_ns() // 1_000_000
    stamp = uuid7().int >> 80
    assert before <= stamp <= time.time_ns() // 1_000_000
