"""What readers give and writers take: a batch of rows whose text columns are apart from the rest of each row."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import polars as pl

BATCH_BYTES = 2 << 20
"""The size of a batch aimed at; a single row may be larger."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read.

    Attributes:
        ordinal: Its place in the partition's file, or the index of its file if each file is one row.
        code: Machine-readable reason.
        message: What is wrong, in plain words.
        raw: The row as it was.
    """

    ordinal: int
    code: str
    message: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class NewTexts:
    """One text column of the rows that are kept.

    Attributes:
        column: Its name.
        values: Its texts, one for each kept row.
        changed: Which of them differ from what was read.
    """

    column: str
    values: pl.Series
    changed: pl.Series


class Rows(Protocol):
    """Whole rows as they were read, in whatever form loses nothing."""

    def __len__(self) -> int:
        """Return how many there are."""

    def raw(self, row: int) -> bytes:
        """Return one row as it was, as JSON where it has no text form of its own."""

    def render(self, kept: pl.Series | None, texts: "Sequence[NewTexts]") -> list[bytes]:
        """Return the rows that are kept (Boolean for each row; None for all) as JSON, with their new texts."""


@dataclass(slots=True)
class Batch:
    """Rows read together.

    Attributes:
        rows: The good rows.
        texts: Their text columns as String without nulls, one row for each of `rows`; no columns if none was asked for.
        ordinals: UInt64, one for each of `rows`.
        bad: Rows that could not be read.
        bytes_read: How much of the input it took.
    """

    rows: Rows
    texts: pl.DataFrame
    ordinals: pl.Series
    bad: Sequence[BadRow] = field(default_factory=list)
    bytes_read: int = 0

    @property
    def rows_in(self) -> int:
        """How many rows were met, good or bad."""
        return len(self.ordinals) + len(self.bad)

    def renumbered(self, ordinals: Sequence[int], bad: Sequence[BadRow]) -> "Batch":
        """Return the batch with other ordinals, and with further bad rows.

        Args:
            ordinals: The ordinal of each row met, by the ordinal it has now (from 0).
            bad: Rows that were refused before, under their right ordinals.
        """
        refused = [replace(row, ordinal=ordinals[row.ordinal]) for row in self.bad]
        everything = sorted([*bad, *refused], key=lambda row: row.ordinal)
        numbers = pl.Series(ordinals, dtype=pl.UInt64).gather(self.ordinals)
        return Batch(self.rows, self.texts, numbers, everything, self.bytes_read)
