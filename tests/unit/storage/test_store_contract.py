"""What every object store does; one body, run over a folder and over a real S3 server."""

import asyncio
import resource
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from blake3 import blake3

from datamate.core.errors import InvalidInputError, NotFoundError, TooLargeError
from datamate.storage import ContentHash, HashingStream, ObjectStore, hash_object

MIB = 1 << 20


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def zeros(count: int, *, fail_after: int | None = None) -> AsyncIterator[bytes]:
    block = bytes(MIB)
    for index in range(count):
        if index == fail_after:
            raise ConnectionResetError
        yield block


async def keys(store: ObjectStore, prefix: str = "") -> set[str]:
    return {info.key async for info in store.list(prefix)}


@pytest.mark.parametrize("content", [b"", b"x", b"hello" * 1000])
async def test_read_returns_what_put_wrote(store, content):
    assert await store.put("a/b.txt", content) == len(content)
    assert await store.read("a/b.txt") == content
    assert b"".join([piece async for piece in store.stream("a/b.txt")]) == content
    assert (await store.head("a/b.txt")).size_bytes == len(content)


@pytest.mark.parametrize("parts", [(), (b"",), (b"a", b"", b"bc"), (b"x" * MIB, b"y", b"z" * (17 * MIB))])
async def test_put_joins_the_pieces_when_the_body_is_a_stream(store, parts):
    whole = b"".join(parts)
    assert await store.put("streamed", pieces(*parts)) == len(whole)
    assert await store.read("streamed") == whole


async def test_put_replaces_when_the_key_exists(store):
    await store.put("k", b"old and longer")
    await store.put("k", b"new")
    assert await store.read("k") == b"new"


async def test_put_leaves_nothing_when_the_body_breaks(store):
    for length in (1, 20):
        with pytest.raises(ConnectionResetError):
            await store.put("broken", zeros(length + 1, fail_after=length))
    assert not await store.exists("broken")
    assert await keys(store) == set()
    assert await store.discard_partial_writes(older_than_seconds=-1) == 0


async def test_put_keeps_the_old_object_when_the_new_body_breaks(store):
    await store.put("kept", b"old")
    with pytest.raises(ConnectionResetError):
        await store.put("kept", zeros(20, fail_after=18))
    assert await store.read("kept") == b"old"


async def test_put_leaves_nothing_when_it_is_cancelled(store):
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(18):
            yield bytes(MIB)
        started.set()
        await asyncio.sleep(3600)

    writing = asyncio.create_task(store.put("cancelled", endless()))
    await asyncio.wait_for(started.wait(), 20)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await keys(store) == set()
    assert await store.discard_partial_writes(older_than_seconds=-1) == 0


async def test_memory_stays_flat_when_an_object_is_large(store):
    await store.put("warm", zeros(24))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    written = HashingStream(zeros(128))
    await store.put("large", written, size_bytes=128 * MIB)
    assert await hash_object(store, "large") == written.content
    grown_bytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown_bytes < 64 * MIB


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, None, b"0123456789"),
        (3, None, b"3456789"),
        (0, 1, b"0"),
        (2, 5, b"234"),
        (8, 100, b"89"),
        (10, 20, b""),
        (11, None, b""),
        (4, 4, b""),
    ],
)
async def test_ranges_are_cut_at_the_end_when_they_reach_past_it(store, start, end, expected):
    await store.put("digits", b"0123456789")
    assert await store.read("digits", start=start, end=end) == expected
    assert b"".join([piece async for piece in store.stream("digits", start=start, end=end)]) == expected


async def test_stream_reads_a_range_when_it_spans_many_blocks(store):
    content = Random(1).randbytes(20 * MIB)
    await store.put("wide", content)
    read = [piece async for piece in store.stream("wide", start=1_000_001, end=19_000_003)]
    assert b"".join(read) == content[1_000_001:19_000_003]
    assert max(map(len, read)) <= MIB


async def test_stream_can_be_left_early(store):
    await store.put("long", zeros(20))
    stream = store.stream("long")
    assert len(await anext(stream)) == MIB
    await stream.aclose()


async def test_absent_objects_are_not_found(store):
    absent = "nothing/here"
    assert not await store.exists(absent)
    for call in (store.head, store.read, lambda key: store.read(key, start=1, end=1)):
        with pytest.raises(NotFoundError, match="object"):
            await call(absent)
    for call in (store.copy, store.move):
        with pytest.raises(NotFoundError, match="object"):
            await call(absent, "target")
    with pytest.raises(NotFoundError):
        await anext(store.stream(absent))


async def test_head_tells_the_time_of_the_last_write(store):
    await store.put("now", b"1")
    assert abs((await store.head("now")).modified_at - datetime.now(UTC)) < timedelta(seconds=5)


async def test_put_if_absent_writes_once_when_two_writers_race(store):
    won = await asyncio.gather(*(store.put_if_absent("lock", f"writer {n}".encode()) for n in range(8)))
    assert sum(won) == 1
    assert await store.read("lock") == f"writer {won.index(True)}".encode()
    assert not await store.put_if_absent("lock", b"late")
    assert await store.discard_partial_writes(older_than_seconds=-1) == 0


async def test_copies_are_independent_when_the_source_goes(store):
    await store.put("staging/1", b"content")
    await store.copy("staging/1", "blobs/1")
    await store.copy("staging/1", "blobs/1")
    assert await store.read("staging/1") == b"content"
    await store.put("staging/1", b"other")
    await store.delete(["staging/1"])
    assert await store.read("blobs/1") == b"content"


async def test_move_leaves_only_the_target(store):
    await store.put("staging/deep/1", b"content")
    await store.put("blobs/1", b"older")
    await store.move("staging/deep/1", "blobs/1")
    assert await keys(store) == {"blobs/1"}
    assert await store.read("blobs/1") == b"content"


async def test_delete_is_silent_when_objects_are_absent(store):
    for number in range(3):
        await store.put(f"d/{number}", b"x")
    await store.delete(["d/0", "d/1", "d/absent"])
    assert await keys(store) == {"d/2"}
    await store.delete([])


async def test_list_sees_only_what_is_below_the_folder(store):
    for key in ("a/1", "a/b/2", "ab/3", "c"):
        await store.put(key, key.encode())
    assert await keys(store) == {"a/1", "a/b/2", "ab/3", "c"}
    assert await keys(store, "a/") == {"a/1", "a/b/2"}
    assert await keys(store, "a/b/") == {"a/b/2"}
    assert await keys(store, "none/") == set()
    assert {info.size_bytes async for info in store.list("a/b/")} == {5}


async def test_list_pages_when_there_are_many(store):
    await asyncio.gather(*(store.put(f"many/{number:04}", b"") for number in range(1_100)))
    assert await keys(store, "many/") == {f"many/{number:04}" for number in range(1_100)}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../out",
        "a/../../out",
        "a//b",
        "a/",
        ".partial/x",
        "a/.hidden",
        "a\x00b",
        "a\\b",
        "ü",
        "k" * 513,
    ],
)
async def test_keys_that_lead_out_or_hide_are_refused(store, key):
    with pytest.raises(InvalidInputError) as refused:
        await store.put(key, b"x")
    assert refused.value.errors[0].field == "key"
    await store.put("a", b"x")
    for call in (store.read, store.head, lambda bad: store.delete([bad]), lambda bad: store.copy("a", bad)):
        with pytest.raises(InvalidInputError):
            await call(key)


@pytest.mark.parametrize("prefix", ["a", "/", "../", "a/../"])
async def test_prefixes_that_are_no_folder_are_refused(store, prefix):
    with pytest.raises(InvalidInputError):
        await keys(store, prefix)


async def test_parallel_writes_and_deletes_below_one_folder_do_not_disturb_each_other(store):
    async def cycle(number: int) -> None:
        for _ in range(10):
            await store.put(f"busy/{number % 2}/{number}", b"x")
            await store.delete([f"busy/{number % 2}/{number}"])

    await asyncio.gather(*(cycle(number) for number in range(8)))
    assert await keys(store) == set()


async def test_check_passes_when_the_store_is_reachable(store):
    await store.check()


async def test_hashing_stream_stops_when_there_is_too_much():
    stream = HashingStream(pieces(b"12345", b"67890"), max_bytes=9)
    with pytest.raises(TooLargeError, match="9 bytes"):
        _ = [piece async for piece in stream]


async def test_hashing_stream_knows_size_and_hash_when_it_ended():
    stream = HashingStream(pieces(b"12345", b"67890"), max_bytes=10)
    assert b"".join([piece async for piece in stream]) == b"1234567890"
    assert stream.content == ContentHash(10, blake3(b"1234567890").hexdigest())


async def test_put_leaves_nothing_when_it_is_cancelled_while_it_tidies_up(store):
    for _ in range(10):
        writing = asyncio.create_task(store.put("broken", zeros(20, fail_after=18)))
        while not writing.done():
            await asyncio.sleep(0.001)
            writing.cancel()
        assert writing.cancelled() or writing.exception() is not None
        assert await store.discard_partial_writes(older_than_seconds=-1) == 0
    assert await keys(store) == set()
