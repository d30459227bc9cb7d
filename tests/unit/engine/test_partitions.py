from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamate.engine.inputs import discover_inputs
from datamate.engine.partitions import partition_bytes, partitions_digest, plan_partitions

LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=60)


def partitions_of(data: bytes, target: int):
    with NamedTemporaryFile(suffix=".jsonl") as file:
        Path(file.name).write_bytes(data)
        return plan_partitions(discover_inputs(file.name), target_bytes=target)


@settings(deadline=None)
@given(LINES, st.integers(1, 200), st.booleans())
def test_every_line_is_in_one_partition_under_its_number_when_a_file_is_cut(lines, target, ends_with_newline):
    data = b"\n".join(lines) + (b"\n" if ends_with_newline else b"")
    partitions = partitions_of(data, target)
    assert b"".join(data[part.start : part.end] for part in partitions) == data
    for part in partitions:
        assert part.first_ordinal == data.count(b"\n", 0, part.start)
        assert part.start == 0 or data[part.start - 1 : part.start] == b"\n"
    assert all(part.end - part.start >= target for part in partitions[:-1])
    assert [part.index for part in partitions] == list(range(len(partitions)))


def test_partition_holds_the_whole_line_when_it_is_longer_than_a_partition():
    data = b"a\n" + b"b" * 5000 + b"\nc\n"
    assert [(part.start, part.end) for part in partitions_of(data, 100)] == [(0, 5003), (5003, 5005)]


def test_there_are_no_partitions_when_files_are_empty(tmp_path):
    (tmp_path / "a.jsonl").touch()
    (tmp_path / "b.csv").touch()
    assert plan_partitions(discover_inputs(str(tmp_path))) == ()


def test_documents_share_partitions_when_they_are_small(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text("x" * 40)
    (tmp_path / "3x.csv").write_text("text\na\n")
    found = plan_partitions(discover_inputs(str(tmp_path)), target_bytes=80)
    assert [(part.file, part.start, part.end) for part in found] == [(0, 0, 2), (2, 2, 4), (4, 0, 7), (5, 5, 6)]


def test_planning_stops_when_the_caller_raises(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x\n" * 10)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        plan_partitions(discover_inputs(str(path)), on_block=stop)


def test_digest_differs_when_boundaries_do():
    data = b"ab\n" * 20
    assert partitions_digest(partitions_of(data, 9)) != partitions_digest(partitions_of(data, 12))


def test_partitions_are_bounded_when_the_input_is_tiny_or_huge():
    assert partition_bytes(10) == 2 << 20
    assert partition_bytes(10**13) == 64 << 20
