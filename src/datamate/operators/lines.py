r"""Lines as Python's `str.splitlines` sees them: ten separators, of which "\r\n" counts once."""

import polars as pl

from datamate.operators.elementwise import replace_where

_SEPARATOR = r"\r\n|[\x0b\x0c\r\x1c-\x1e\x{85}\x{2028}\x{2029}]"
_OTHER_THAN_NEWLINE = r"[\x0b\x0c\r\x1c-\x1e\x{85}\x{2028}\x{2029}]"


def with_newlines(texts: pl.Series) -> pl.Series:
    r"""Return the texts with "\n" for every other line separator."""
    others = texts.str.contains(_OTHER_THAN_NEWLINE)
    return replace_where(texts, others, lambda rows: rows.str.replace_all(_SEPARATOR, "\n"))


def count_lines(texts: pl.Series) -> pl.Series:
    """Return the number of lines of each text: 0 for an empty text, and no further line after a closing separator."""
    normal = with_newlines(texts)
    unfinished = (normal.str.len_bytes() > 0) & ~normal.str.ends_with("\n")
    return normal.str.count_matches("\n", literal=True) + unfinished.cast(pl.UInt32)
