"""Rows as the lines of JSON they came as."""

from collections.abc import Mapping, Sequence
from itertools import compress

import orjson
import polars as pl

from datamate.engine.errors import BadRowError
from datamate.engine.formats.batch import BadRow, Batch, NewTexts
from datamate.engine.formats.json_text import parse_object, replace_value

_OPEN, _CLOSE = b"{}"
_BOM = b"\xef\xbb\xbf"
_SHOWN_CHARS = 60


class JsonRows:
    """Rows as lines of JSON, each a valid object without white space around it."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        """Hold the lines."""
        self.lines = lines

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.lines)

    def raw(self, row: int) -> bytes:
        """Return the line of a row."""
        return self.lines[row]

    def render(self, kept: pl.Series | None, texts: Sequence[NewTexts]) -> list[bytes]:
        """Return the lines of the rows that are kept, with the new texts where they changed.

        Args:
            kept: Boolean for each row; None keeps all.
            texts: The text columns of the kept rows.
        """
        lines = list(self.lines) if kept is None else list(compress(self.lines, kept.to_list()))
        for text in texts:
            rows = [row for row, changed in enumerate(text.changed.to_list()) if changed]
            for row, value in zip(rows, text.values.filter(text.changed).to_list(), strict=True):
                lines[row] = replace_value(lines[row], text.column, orjson.dumps(value))
        return lines


def batch_of_lines(lines: list[bytes], columns: Sequence[str], *, first_ordinal: int, bytes_read: int) -> Batch:
    """Return a batch made of lines of JSON.

    Args:
        lines: Consecutive lines, without their newlines.
        columns: The text columns wanted.
        first_ordinal: The ordinal of the first line.
        bytes_read: What these lines took of the input.
    """
    texts = _read_texts(lines, columns)
    if texts is not None:
        stop = first_ordinal + len(lines)
        ordinals = pl.int_range(first_ordinal, stop, eager=True, dtype=pl.UInt64)
        return Batch(JsonRows(lines), texts, ordinals, bytes_read=bytes_read)
    return _sort_out(lines, columns, first_ordinal=first_ordinal, bytes_read=bytes_read)


def _read_texts(lines: list[bytes], columns: Sequence[str]) -> pl.DataFrame | None:
    """Return the text columns if every line is as it should be, the usual case; else None."""
    try:
        values = [orjson.loads(line) for line in lines]
        texts = {column: pl.Series(column, [row[column] for row in values], dtype=pl.String) for column in columns}
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    clean = all(type(row) is dict for row in values) and not any(series.null_count() for series in texts.values())
    # White space around a row would end up in the output, and "\r" even in the middle of a line.
    tidy = all(line[0] == _OPEN and line[-1] == _CLOSE for line in lines)
    return pl.DataFrame(texts) if clean and tidy else None


def _sort_out(lines: list[bytes], columns: Sequence[str], *, first_ordinal: int, bytes_read: int) -> Batch:
    """Read line by line, so that one bad line costs nothing but itself; blank lines are no rows."""
    good: list[bytes] = []
    texts: list[tuple[str, ...]] = []
    ordinals: list[int] = []
    bad: list[BadRow] = []
    for ordinal, line in enumerate(lines, first_ordinal):
        row = line.removeprefix(_BOM).strip() if ordinal == 0 else line.strip()
        if not row:
            continue
        try:
            texts.append(texts_of_row(parse_object(row), columns))
        except BadRowError as error:
            bad.append(BadRow(ordinal, error.code, error.detail, line))
        else:
            good.append(row)
            ordinals.append(ordinal)
    frame = pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String), orient="row")
    return Batch(JsonRows(good), frame, pl.Series(ordinals, dtype=pl.UInt64), bad, bytes_read)


def texts_of_row(row: Mapping[str, object], columns: Sequence[str]) -> tuple[str, ...]:
    """Return the texts of a row.

    Raises:
        BadRowError: A text is missing (`missing_column`), null (`null_text`), of another type (`not_text`) or holds
            what is no character (`invalid_utf8`).
    """
    return tuple(_text(row, column) for column in columns)


def _text(row: Mapping[str, object], column: str) -> str:
    if column not in row:
        names = ", ".join(list(row)[:20]) or "no columns"
        raise BadRowError(f"the row lacks '{column}'; it has {names}", code="missing_column")
    value = row[column]
    if value is None:
        raise BadRowError(f"'{column}' is null", code="null_text")
    if not isinstance(value, str):
        raise BadRowError(f"'{column}' is not text but {_shorten(value)}", code="not_text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        message = f"'{column}' holds half of a surrogate pair at character {error.start}, which is no character"
        raise BadRowError(message, code="invalid_utf8") from error
    return value


def _shorten(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN_CHARS else f"{shown[:_SHOWN_CHARS]}…"
