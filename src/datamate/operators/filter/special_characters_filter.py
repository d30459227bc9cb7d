"""Drops texts with too few or too many special characters."""

from typing import ClassVar

import polars as pl
from pydantic import Field

from datamate.operators.base import Filter, FilterParams, OperatorKind, Spec
from datamate.operators.character_counts import count_characters, ratio
from datamate.operators.character_sets import SPECIAL, characters, class_body
from datamate.operators.elementwise import elementwise

_ASCII_CLASS = "".join(character for character in characters(SPECIAL) if character.isascii()).encode()
_CLASS = f"[{class_body(SPECIAL)}]"


class SpecialCharactersParams(FilterParams):
    """Bounds of the share of special characters."""

    bound_fields: ClassVar[tuple[str, str]] = ("min_ratio", "max_ratio")

    min_ratio: float = Field(default=0.0, ge=0, le=1, description="The least share of special characters kept.")
    max_ratio: float = Field(default=0.25, ge=0, le=1, description="The greatest share of special characters kept.")


class SpecialCharactersFilter(Filter[SpecialCharactersParams]):
    """Keeps texts whose share of special characters among all characters is within bounds.

    Special are punctuation, digits, white space, a few symbols and letters, and emoji. An empty text has the share 0.

    Source: character set and defaults of Data-Juicer 1.6.1.
    Cost: about 4.5 ms per MB.
    """

    spec = Spec(
        name="special_characters_filter",
        version=1,
        kind=OperatorKind.FILTER,
        summary="Keeps texts with a share of punctuation, digits, spaces, symbols and emoji within bounds.",
    )
    params_type = SpecialCharactersParams
    metric_name = "special_char_ratio"

    def expr(self) -> pl.Expr:
        """Return the share of special characters."""
        return elementwise(self.params.text_key, _special_ratio, pl.Float64)


def _special_ratio(texts: pl.Series) -> pl.Series:
    return ratio(count_characters(texts, _ASCII_CLASS, _count_others), texts.str.len_chars())


def _count_others(texts: pl.Series) -> pl.Series:
    return texts.str.count_matches(_CLASS)
