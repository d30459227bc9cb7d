"""Drops texts that repeat the same runs of words."""

from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import Field, field_validator

from datamate.operators.base import Filter, FilterParams, OperatorKind, Spec
from datamate.operators.character_sets import SPECIAL, characters
from datamate.operators.elementwise import elementwise
from datamate.operators.repetition import frequencies

_SPECIAL = frozenset(characters(SPECIAL))
_NO_WORD = 0


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
    Cost: about 55 ms per MB.
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
        vocabulary = _Vocabulary()
        numbers: list[int] = []
        pieces: list[int] = []
        for text in texts.to_list():
            found = text.lower().replace("\n", " ").replace("\t", " ").split(" ")
            numbers += [vocabulary[piece] for piece in found]
            pieces.append(len(found))
        codes = np.array(numbers, dtype=np.uint64)
        documents = np.repeat(np.arange(len(pieces)), pieces)
        words = codes != _NO_WORD
        lengths = np.bincount(documents[words], minlength=len(pieces))
        counted = frequencies(codes[words], lengths, self.params.rep_len)
        repeated = np.where(counted.counts > 1, counted.counts, 0)
        sums = np.bincount(counted.documents, weights=repeated, minlength=len(pieces))
        return pl.Series(sums / np.maximum(lengths - (self.params.rep_len - 1), 1), dtype=pl.Float64)


class _Vocabulary(dict[str, int]):
    """The number of each piece of text between spaces, so that a piece is stripped once, however often it occurs."""

    def __init__(self) -> None:
        super().__init__()
        self._words: dict[str, int] = {"": _NO_WORD}

    def __missing__(self, piece: str) -> int:
        number = self._words.setdefault(_strip(piece), len(self._words))
        self[piece] = number
        return number


def _strip(piece: str) -> str:
    """Strip special characters; `str.strip` looks through all 1,618 of them for each letter."""
    start, end = 0, len(piece)
    while start < end and piece[start] in _SPECIAL:
        start += 1
    while end > start and piece[end - 1] in _SPECIAL:
        end -= 1
    return piece[start:end]
