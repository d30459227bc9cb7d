import gzip

import pyarrow as pa
import pytest

from datamate.engine.errors import UnreadableInputError
from datamate.engine.formats.compression import open_source
from datamate.engine.inputs import discover_inputs, open_input

DATA = b"".join(b"line %d\n" % number for number in range(50_000))


def read_all(path):
    (file,) = discover_inputs(str(path))
    with open_input(file) as reader:
        source = open_source(file, reader, 0, reader.size_bytes)
        pieces = []
        while piece := source.read(10_000):
            pieces.append(piece)
    return b"".join(pieces)


def test_content_is_read_when_a_file_is_compressed(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(DATA[:1000]) + gzip.compress(DATA[1000:]))
    (tmp_path / "b.jsonl.zst").write_bytes(pa.compress(DATA, "zstd", asbytes=True))
    assert read_all(tmp_path / "a.jsonl.gz") == DATA
    assert read_all(tmp_path / "b.jsonl.zst") == DATA


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_file_is_named_when_its_compression_is_broken(tmp_path, name):
    whole = gzip.compress(DATA) if name.endswith("gz") else pa.compress(DATA, "zstd", asbytes=True)
    for broken in (whole[: len(whole) // 2], whole[:-1], b"something else entirely"):
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(UnreadableInputError, match=name):
            read_all(tmp_path / name)


def test_range_is_seekable_when_it_is_part_of_a_file(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"0123456789")
    (file,) = discover_inputs(str(tmp_path / "a.txt"))
    with open_input(file) as reader:
        source = open_source(file, reader, 2, 8)
        assert source.read(3) == b"234"
        assert source.seek(-2, 2) == 4
        assert source.read() == b"67"
        assert source.seek(0) == 0
        assert source.read(100) == b"234567"
        assert source.read(1) == b""
