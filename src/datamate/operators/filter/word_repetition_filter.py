"""Drops texts that repeat the same runs of words."""

from collections import defaultdict
from itertools import count
from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import Field, field_validator

from datamate.operators.base import Filter, FilterParams, OperatorKind, Spec
from datamate.operators.character_sets import SPECIAL, characters
from datamate.operators.elementwise import elementwise
from datamate.operators.repetition import frequencies

_SPECIAL = characters(SPECIAL)
_SPECIAL_SET = frozenset(_SPECIAL)


class WordRepetitionParams(FilterParams):
    """Bounds of the share of repeated word n-grams."""

    bound_fields: ClassVar[tuple[str, str]] = ("min_ratio", "max_ratio")

    lang: str = Field(default="en", description="The language of the texts; matters only with tokenization.")
    tokenization: bool = Field(default=False, description="Must be false: a tokenizer needs a downloaded model.")
    rep_len: int = Field(default=10, ge=1, le=1_000, description="The number of words in an n-gram.")
    min_ratio: float = Field(default=0.0, ge=0, le=1, description="The least share of repeated n-grams kept.")
    max_ratio: float = Field(default=0.5, ge=0, le=1, description="The greatest share of repeated n-grams kept.")

    @field_validator("tokenization")
    @classmethod
    def _refuse_tokenization(cls, tokenization: bool) -> bool:  # noqa: FBT001 - pydantic calls it
        if tokenization:
            raise ValueError("the tokenizer's model would have to be downloaded; leave it false")
        return tokenization


class WordRepetitionFilter(Filter[WordRepetitionParams]):
    """Keeps texts whose share of word n-grams that occur more than once is within bounds.

    Words are separated by spaces, tabs and newlines, lowered, and stripped of special characters; what is empty then
    is no word. A text with fewer than `rep_len` words has the ratio 0.

    Source: rules and defaults of Data-Juicer 1.6.1; its variant with a tokenizer is left out.
    Cost: about 50 ms per MB.
    """

    spec = Spec(
        name="word_repetition_filter",
        version=1,
        kind=OperatorKind.FILTER,
        summary="Keeps texts with a share of repeated word n-grams within bounds.",
    )
    params_type = WordRepetitionParams
    metric_name = "word_rep_ratio"

    def expr(self) -> pl.Expr:
        """Return the share of n-grams that occur more than once."""
        return elementwise(self.params.text_key, self._ratios, pl.Float64)

    def _ratios(self, texts: pl.Series) -> pl.Series:
        number_of: defaultdict[str, int] = defaultdict(count().__next__)
        codes: list[int] = []
        lengths: list[int] = []
        for text in texts.to_list():
            words = _words(text or "")
            codes += [number_of[word] for word in words]
            lengths.append(len(words))
        sizes = np.array(lengths, dtype=np.int64)
        found = frequencies(np.array(codes, dtype=np.uint64), sizes, self.params.rep_len)
        repeated = np.where(found.counts > 1, found.counts, 0)
        sums = np.bincount(found.documents, weights=repeated, minlength=len(sizes))
        return pl.Series(sums / np.maximum(sizes - (self.params.rep_len - 1), 1), dtype=pl.Float64)


def _words(text: str) -> list[str]:
    lowered = text.lower().replace("\n", " ").replace("\t", " ").split(" ")
    special = _SPECIAL_SET
    words = [word.strip(_SPECIAL) if word[0] in special or word[-1] in special else word for word in lowered if word]
    return [word for word in words if word]
