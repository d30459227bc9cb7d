"""Reads CSV and TSV: a header, then records whose fields are all text, so that nothing is guessed and nothing lost."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import IO, cast

import orjson

from datamate.engine.errors import BadRowError, UnreadableInputError
from datamate.engine.formats.batch import BATCH_BYTES, BadRow, Batch
from datamate.engine.formats.compression import ByteSource
from datamate.engine.formats.json_rows import batch_of_lines
from datamate.engine.formats.kinds import FileKind

_DELIMITERS = {FileKind.CSV: ",", FileKind.TSV: "\t"}
_MAX_FIELD_CHARS = 2**31 - 1


class _Lines:
    """The lines of a stream as text, keeping those of the current record.

    Bytes that are not UTF-8 become lone surrogates, so that only the record they are in is refused.
    """

    def __init__(self, source: ByteSource) -> None:
        stream = cast("IO[bytes]", _Buffered(source))
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        self.record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self.record.append(line)
            yield line

    def take(self) -> str:
        """Return the text of the record just read, and forget it."""
        text = "".join(self.record)
        self.record.clear()
        return text


class _Buffered(io.BufferedIOBase):
    """Lets `TextIOWrapper` read from a byte source."""

    def __init__(self, source: ByteSource) -> None:
        super().__init__()
        self._source = source

    def read(self, size: int | None = -1, /) -> bytes:
        return self._source.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        return self._source.read(size)

    def readable(self) -> bool:
        return True


def read_delimited(source: ByteSource, columns: Sequence[str], *, kind: FileKind, name: str) -> Iterator[Batch]:
    """Yield the records of a CSV or TSV file as rows of JSON with text values.

    Args:
        source: The bytes of the whole file.
        columns: The text columns wanted.
        kind: `CSV` or `TSV`.
        name: The file's name, for errors.

    Raises:
        UnreadableInputError: The header is not UTF-8, or names a column twice.
    """
    csv.field_size_limit(_MAX_FIELD_CHARS)
    lines = _Lines(source)
    records = csv.reader(lines, delimiter=_DELIMITERS[kind], strict=True)
    header = _read_header(records, lines, name)
    ordinal = 0
    while chunk := _read_chunk(records, lines, header, ordinal):
        rows, ordinals, bad, bytes_read = chunk
        yield batch_of_lines(rows, columns, first_ordinal=0, bytes_read=bytes_read).renumbered(ordinals, bad)
        ordinal += len(ordinals) + len(bad)


def header_of(source: ByteSource, *, kind: FileKind, name: str) -> list[str]:
    """Return the column names of a file; none if it is empty."""
    lines = _Lines(source)
    return _read_header(csv.reader(lines, delimiter=_DELIMITERS[kind], strict=True), lines, name)


_Records = Iterator[list[str]]
_Chunk = tuple[list[bytes], list[int], list[BadRow], int]


def _read_header(records: _Records, lines: _Lines, name: str) -> list[str]:
    try:
        header = next(records, [])
    except csv.Error as error:
        raise UnreadableInputError(f"The header of {name} is broken: {error}.") from error
    lines.take()
    doubled = sorted({column for column in header if header.count(column) > 1})
    if doubled:
        raise UnreadableInputError(f"The header of {name} names {', '.join(doubled)} twice; give each column a name.")
    try:
        "".join(header).encode()
    except UnicodeEncodeError as error:
        raise UnreadableInputError(f"The header of {name} is not UTF-8; save the file as UTF-8.") from error
    return header


def _read_chunk(records: _Records, lines: _Lines, header: list[str], first: int) -> _Chunk | None:
    """Return about a batch of records, or None at the end; blank lines are none."""
    rows: list[bytes] = []
    ordinals: list[int] = []
    bad: list[BadRow] = []
    size = 0
    while size < BATCH_BYTES:
        ordinal = first + len(ordinals) + len(bad)
        try:
            record = next(records, None)
            if record is None:
                break
            if record:
                rows.append(_row(record, header))
                ordinals.append(ordinal)
            size += len(lines.take())
        except (csv.Error, BadRowError) as error:
            code, message = (error.code, error.detail) if isinstance(error, BadRowError) else ("bad_csv", str(error))
            text = lines.take()
            size += len(text)
            bad.append(BadRow(ordinal, code, message, text.encode(errors="surrogateescape").rstrip(b"\r\n")))
    return (rows, ordinals, bad, size) if rows or bad else None


def _row(record: list[str], header: list[str]) -> bytes:
    """Return a record as JSON.

    Raises:
        BadRowError: It has too many fields, too few, or bytes that are not UTF-8.
    """
    if len(record) != len(header):
        message = f"the record has {len(record)} fields, but the header names {len(header)} columns"
        raise BadRowError(message, code="bad_csv")
    try:
        return orjson.dumps(dict(zip(header, record, strict=True)))
    except orjson.JSONEncodeError as error:
        raise BadRowError("the record is not UTF-8", code="invalid_utf8") from error
