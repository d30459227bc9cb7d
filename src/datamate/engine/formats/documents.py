"""Reads files of which each is one row: plain text, Markdown, and HTML as its visible text."""

import codecs
import re
from collections.abc import Iterator, Sequence

import orjson

from datamate.engine.errors import BadRowError
from datamate.engine.formats.batch import BATCH_BYTES, BadRow, Batch
from datamate.engine.formats.json_rows import batch_of_lines
from datamate.engine.formats.kinds import FileKind
from datamate.engine.inputs import InputFile, open_input

SOURCE_COLUMN = "source"

_DECLARED_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_CHARSET_WITHIN_BYTES = 1024


def read_documents(
    files: Sequence[InputFile], start: int, end: int, columns: Sequence[str], *, text_column: str
) -> Iterator[Batch]:
    """Yield files as rows with two columns: the text, and `source`, the file's name.

    Args:
        files: All files of the input.
        start: Index of the first file to read; it is the ordinal of its row inside the engine.
        end: One past the last.
        columns: The text columns wanted.
        text_column: What to call the column of the text.
    """
    rows: list[bytes] = []
    bad: list[BadRow] = []
    places: list[int] = []
    size = 0
    for place in range(start, end):
        with open_input(files[place]) as reader:
            data = reader.read_at(0, reader.size_bytes)
        size += len(data)
        try:
            text = text_of(data, files[place].kind)
        except BadRowError as error:
            bad.append(BadRow(place, error.code, error.detail, data))
        else:
            rows.append(orjson.dumps({text_column: text, SOURCE_COLUMN: files[place].name}))
            places.append(place)
        if size >= BATCH_BYTES or place == end - 1:
            yield batch_of_lines(rows, columns, first_ordinal=0, bytes_read=size).renumbered(places, bad)
            rows, bad, places, size = [], [], [], 0


def text_of(data: bytes, kind: FileKind) -> str:
    """Return the text of a document.

    Raises:
        BadRowError: The bytes are not UTF-8, nor in the encoding that the HTML declares.
    """
    encoding = _declared_encoding(data) if kind is FileKind.HTML else "utf-8"
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadRowError(f"byte {error.start} of the file is not {encoding}", code="invalid_utf8") from error
    if kind is not FileKind.HTML:
        return text
    # Only HTML needs the parser.
    from datamate.engine.formats.html_text import visible_text

    return visible_text(text)


def _declared_encoding(data: bytes) -> str:
    found = _DECLARED_CHARSET.search(data[:_CHARSET_WITHIN_BYTES])
    try:
        codec = codecs.lookup(found[1].decode()) if found else None
    except LookupError:
        codec = None
    # Python also has codecs that are no text encodings, such as hex and zip.
    return codec.name if codec is not None and codec._is_text_encoding else "utf-8"  # noqa: SLF001 - no public name
