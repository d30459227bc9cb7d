"""Drops texts whose longest line is too short or too long."""

import sys
from typing import ClassVar

import polars as pl
from pydantic import Field

from datamate.operators.base import Filter, FilterParams, OperatorKind, Spec
from datamate.operators.elementwise import elementwise
from datamate.operators.lines import with_newlines


class MaximumLineLengthParams(FilterParams):
    """Bounds of the length of the longest line."""

    bound_fields: ClassVar[tuple[str, str]] = ("min_len", "max_len")

    min_len: int = Field(default=10, ge=0, le=sys.maxsize, description="The fewest characters of a kept longest line.")
    max_len: int = Field(
        default=sys.maxsize, ge=0, le=sys.maxsize, description="The most characters of a kept longest line."
    )


class MaximumLineLengthFilter(Filter[MaximumLineLengthParams]):
    """Keeps texts whose longest line has a number of characters within bounds.

    Line separators do not count. An empty text has the maximum 0.

    Source: defaults of Data-Juicer 1.6.1; lines are those of Python's `str.splitlines`.
    Cost: about 1.5 ms per MB.
    """

    spec = Spec(
        name="maximum_line_length_filter",
        version=1,
        kind=OperatorKind.FILTER,
        summary="Keeps texts with a longest line of a length within bounds.",
    )
    params_type = MaximumLineLengthParams
    metric_name = "max_line_length"

    def expr(self) -> pl.Expr:
        """Return the length of the longest line."""
        newlines = elementwise(self.params.text_key, with_newlines, pl.String)
        return newlines.str.split("\n").list.eval(pl.element().str.len_chars()).list.max()
