"""Cuts the input into partitions, the units of work that a run commits, retries and resumes."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from datamate.engine.formats.kinds import FileKind, compression_of
from datamate.engine.inputs import InputFile, open_input

MIN_PARTITION_BYTES = 2 << 20
MAX_PARTITION_BYTES = 64 << 20
# Enough partitions that no core waits long for the last one, few enough that a partition's own cost does not count.
PARTITIONS_AIMED_AT = 24
MAX_DOCUMENTS = 5_000
_SCAN_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of the input, fixed when the run is planned.

    Attributes:
        index: Its place in the order of the input, from 0.
        file: Index of the file, or of the first file if each file is one row.
        start: First byte, row group or file of it.
        end: One past the last.
        first_ordinal: Ordinal of its first row: line, record or row of the file, from 0; for documents the index of
            the first file.
    """

    index: int
    file: int
    start: int
    end: int
    first_ordinal: int


def partition_bytes(total_bytes: int) -> int:
    """Return the size of partitions that suits so much input."""
    return min(MAX_PARTITION_BYTES, max(MIN_PARTITION_BYTES, total_bytes // PARTITIONS_AIMED_AT))


def plan_partitions(
    files: Sequence[InputFile], *, target_bytes: int | None = None, on_block: Callable[[], None] = lambda: None
) -> tuple[Partition, ...]:
    """Cut files into partitions of about `target_bytes`.

    Lines never span partitions, and documents are never cut. Files of lines are read once to count their lines, so
    that every row knows its ordinal however the partitions are spread over workers.

    Args:
        files: The input in order.
        target_bytes: The size aimed at; None chooses by the size of the input.
        on_block: Called often; may raise to stop.

    Raises:
        UnreadableInputError: A file cannot be read, or is broken.
    """
    target = target_bytes or partition_bytes(sum(file.size_bytes for file in files))
    spans: list[_Span] = []
    place = 0
    while place < len(files):
        if files[place].kind.is_document:
            end = _end_of_documents(files, place, target)
            spans.append((place, place, end, place))
            place = end
        else:
            spans += [(place, *span) for span in _file_spans(files[place], target, on_block)]
            place += 1
    return tuple(Partition(index, *span) for index, span in enumerate(spans))


_Span = tuple[int, int, int, int]
_FileSpan = tuple[int, int, int]


def _end_of_documents(files: Sequence[InputFile], start: int, target: int) -> int:
    """Return the index after the last document that goes together with the one at `start`."""
    end, size = start, 0
    while end < len(files) and files[end].kind.is_document and size < target and end - start < MAX_DOCUMENTS:
        size += files[end].size_bytes
        end += 1
    return end


def _file_spans(file: InputFile, target: int, on_block: Callable[[], None]) -> Iterator[_FileSpan]:
    if file.size_bytes == 0:
        return
    if file.kind is FileKind.PARQUET:
        # PyArrow takes a tenth of a second to import, which runs without Parquet need not wait for.
        from datamate.engine.formats.parquet import row_group_spans

        yield from row_group_spans(file, target)
    elif file.kind is FileKind.JSONL and compression_of(file.name) is None:
        yield from _line_spans(file, target, on_block)
    else:
        # A line of CSV may be the inside of a quoted field, and compressed bytes have no middle to start at.
        yield (0, file.size_bytes, 0)


def _line_spans(file: InputFile, target: int, on_block: Callable[[], None]) -> Iterator[_FileSpan]:
    """Yield (start, end, first line) of runs of whole lines of at least `target` bytes each, except the last."""
    start, first_line, lines, offset = 0, 0, 0, 0
    with open_input(file) as reader:
        while block := reader.read_at(offset, min(_SCAN_BYTES, target)):
            on_block()
            position = 0
            if offset + len(block) - start >= target:
                wanted = max(0, start + target - offset - 1)
                cut = block.find(b"\n", wanted)
                if cut >= 0:
                    position = cut + 1
                    lines += block.count(b"\n", 0, position)
                    yield (start, offset + position, first_line)
                    start, first_line = offset + position, lines
            lines += block.count(b"\n", position)
            offset += len(block)
    if start < offset:
        yield (start, offset, first_line)


def partitions_digest(partitions: Iterable[Partition]) -> str:
    """Return a short digest of where partitions begin and end."""
    digest = hashlib.blake2b(digest_size=8)
    for partition in partitions:
        digest.update(f"{partition.file}:{partition.start}:{partition.end};".encode())
    return digest.hexdigest()
