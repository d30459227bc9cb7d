"""The rows of a partition as ranges of a file of lines that is there already, where only few rows are left out."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Self

from datamate.engine.files import writing_to

_Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class LineRanges:
    """Parts of the lines of another attempt.

    Attributes:
        source: The base name of that attempt's files.
        ranges: Where each part begins and ends, ascending.
    """

    source: str
    ranges: tuple[_Range, ...]

    @classmethod
    def without(cls, source: str, row_bytes: Sequence[int], left_out: Iterable[int]) -> Self:
        """Return the ranges that leave out some rows.

        Args:
            source: The base name of the attempt whose lines are meant.
            row_bytes: The size of each line, with its newline.
            left_out: The rows to leave out, ascending.
        """
        ends = list(accumulate(row_bytes, initial=0))
        ranges: list[_Range] = []
        start = 0
        for row in left_out:
            if start < ends[row]:
                ranges.append((start, ends[row]))
            start = ends[row + 1]
        if start < ends[-1]:
            ranges.append((start, ends[-1]))
        return cls(source, tuple(ranges))

    @property
    def size_bytes(self) -> int:
        """The size of all ranges."""
        return sum(end - start for start, end in self.ranges)

    def write(self, path: Path) -> None:
        """Write the ranges to a file."""
        with writing_to(path):
            path.write_text(json.dumps({"source": self.source, "ranges": self.ranges}))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the ranges of a file."""
        record = json.loads(path.read_text())
        return cls(record["source"], tuple((start, end) for start, end in record["ranges"]))
