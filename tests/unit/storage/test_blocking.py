"""The blocking store reads and writes the same objects as the asynchronous one, also in another process."""

import io
import pickle
import subprocess
import sys
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from blake3 import blake3

from datamate.core.errors import NotFoundError
from datamate.storage import ContentHash, StoreLocation, open_blocking_store
from datamate.storage.blocking import file_pieces

CONTENT = Random(1).randbytes(12_000_000)


READ_ELSEWHERE = (
    "import pickle, sys; from datamate.storage import open_blocking_store; "
    "store = open_blocking_store(pickle.load(sys.stdin.buffer)); "
    "sys.stdout.buffer.write(store.read('shared', start=4, end=8))"
)


def read_in_another_process(location: StoreLocation) -> bytes:
    command = [sys.executable, "-c", READ_ELSEWHERE]
    return subprocess.run(command, input=pickle.dumps(location), capture_output=True, check=True).stdout


async def test_blocking_reads_what_the_asynchronous_store_wrote(store, location):
    await store.put("numbers", CONTENT)
    blocking = open_blocking_store(location)
    assert blocking.size_bytes("numbers") == len(CONTENT)
    assert blocking.read("numbers") == CONTENT
    assert blocking.read("numbers", start=8, end=12) == CONTENT[8:12]
    assert blocking.read("numbers", start=len(CONTENT), end=len(CONTENT) + 5) == b""
    with blocking.open("numbers") as file:
        assert file.read() == CONTENT
        file.seek(-4, io.SEEK_END)
        assert file.read() == CONTENT[-4:]
        file.seek(4_000_000)
        assert file.read(4) == CONTENT[4_000_000:4_000_004]


async def test_blocking_put_is_read_back_and_knows_its_hash(store, location, tmp_path):
    source = tmp_path / "source.bin"
    source.write_bytes(CONTENT)
    written = open_blocking_store(location).put("staging/run/1", file_pieces(source))
    assert written == ContentHash(len(CONTENT), blake3(CONTENT).hexdigest())
    assert await store.read("staging/run/1") == CONTENT


async def test_blocking_put_leaves_nothing_when_the_source_breaks(store, location):
    def broken():
        for _ in range(20):
            yield bytes(1 << 20)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        open_blocking_store(location).put("broken", broken())
    assert [info async for info in store.list()] == []
    assert await store.discard_partial_writes(older_than_seconds=-1) == 0


def test_absent_objects_are_not_found_when_blocking(location):
    blocking = open_blocking_store(location)
    for call in (blocking.open, blocking.read, blocking.size_bytes):
        with pytest.raises(NotFoundError):
            call("absent")


async def test_parquet_is_read_by_ranges_when_opened(store, location):
    sink = io.BytesIO()
    pq.write_table(pa.table({"n": list(range(100_000))}), sink)
    await store.put("t.parquet", sink.getvalue())
    with open_blocking_store(location).open("t.parquet") as file:
        assert pq.read_table(file).num_rows == 100_000


async def test_a_location_opens_the_store_in_another_process(store, location):
    await store.put("shared", CONTENT)
    assert read_in_another_process(location) == CONTENT[4:8]


def test_local_path_names_the_file_only_when_the_store_is_a_folder(file_location, s3_location):
    open_blocking_store(file_location).put("a/b", [b"x"])
    path = open_blocking_store(file_location).local_path("a/b")
    assert path is not None
    assert path.read_bytes() == b"x"
    assert file_location.local_path("a/b") == path
    assert open_blocking_store(s3_location).local_path("a/b") is None
