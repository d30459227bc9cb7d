"""Reads lines of JSON: a range of a file, or all of a compressed one, in batches of whole lines."""

from collections.abc import Iterator, Sequence

from datamate.engine.formats.batch import BATCH_BYTES, Batch
from datamate.engine.formats.compression import ByteSource
from datamate.engine.formats.json_rows import batch_of_lines


def read_jsonl(source: ByteSource, columns: Sequence[str], *, first_ordinal: int) -> Iterator[Batch]:
    """Yield the rows of lines of JSON.

    Args:
        source: The bytes, from the beginning of a line.
        columns: The text columns wanted.
        first_ordinal: The number of the first line, from 0 at the beginning of the file.
    """
    ordinal = first_ordinal
    for lines, bytes_read in whole_lines(source):
        yield batch_of_lines(lines, columns, first_ordinal=ordinal, bytes_read=bytes_read)
        ordinal += len(lines)


def whole_lines(source: ByteSource, batch_bytes: int = BATCH_BYTES) -> Iterator[tuple[list[bytes], int]]:
    """Yield runs of lines without their newlines, of about `batch_bytes`, with the number of bytes they took."""
    pieces: list[bytes] = []
    while block := source.read(batch_bytes):
        cut = block.rfind(b"\n") + 1
        if not cut:
            pieces.append(block)
            continue
        head = b"".join((*pieces, block[: cut - 1]))
        pieces = [block[cut:]]
        yield head.split(b"\n"), len(head) + 1
    rest = b"".join(pieces)
    if rest:
        yield [rest], len(rest)
