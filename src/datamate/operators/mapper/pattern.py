"""What the operators have in common that replace whatever a regular expression matches.

A pattern from a recipe runs in the third-party regex module with the flag DOTALL, row by row, as in Data-Juicer. The
default patterns run in Polars, which is 20 to 100 times as fast and takes linear time on any text; the modules that
define them say how the translation stays exact.

Unlike there, a pattern that is no regular expression is refused before any row is read, and a text on which it takes
more than ten seconds fails alone instead of holding up the run.
"""

from typing import TYPE_CHECKING, ClassVar

import polars as pl
from pydantic import Field, field_validator

from datamate.operators.base import Mapper, Params, Sample
from datamate.operators.elementwise import elementwise
from datamate.operators.errors import RowError

if TYPE_CHECKING:
    import regex

ROW_SECONDS = 10.0


class PatternParams(Params):
    """Parameters of an operator that replaces what a pattern matches."""

    pattern: str | None = Field(
        default=None,
        min_length=1,
        max_length=10_000,
        description="Regular expression to search for, instead of the operator's own; may be quoted as r'…'.",
    )
    repl: str = Field(
        default="", max_length=10_000, description=r"What to put instead; \1 stands for the first group of the pattern."
    )

    @field_validator("pattern")
    @classmethod
    def _unquote(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        quoted = len(pattern) > 3 and pattern[:2] in ("r'", 'r"') and pattern[-1] == pattern[1]
        pattern = pattern[2:-1] if quoted else pattern
        _compile(pattern)
        return pattern


class PatternMapper(Mapper[PatternParams]):
    """Replaces what a pattern matches.

    Attributes:
        default_pattern: The operator's own pattern, in the syntax of the regex module.
    """

    params_type = PatternParams
    default_pattern: ClassVar[str]

    def __init__(self, params: PatternParams) -> None:
        """Compile the pattern if it has to run in the regex module."""
        super().__init__(params)
        self._in_polars = params.pattern is None and "\\" not in params.repl
        self._compiled = None if self._in_polars else _compile(params.pattern or self.default_pattern)

    def replace_default(self, texts: pl.Series, replacement: str) -> pl.Series:
        """Return the texts without what the default pattern matches.

        Args:
            texts: String series without nulls.
            replacement: What to put instead, as Polars wants it in `replace_all`.
        """
        raise NotImplementedError

    def expr(self) -> pl.Expr | None:
        """Run the default pattern in Polars."""
        if not self._in_polars:
            return None
        replacement = self.params.repl.replace("$", "$$")
        return elementwise(self.params.text_key, lambda texts: self.replace_default(texts, replacement), pl.String)

    def execute(self, sample: Sample) -> str:
        """Run a pattern in the regex module; it may take exponential time, hence the limit."""
        assert self._compiled is not None  # noqa: S101 - execute is called only where expr() gave None
        text = str(sample[self.params.text_key])
        try:
            return str(self._compiled.sub(self.params.repl, text, timeout=ROW_SECONDS))
        except TimeoutError as error:
            raise RowError(
                f"The pattern took more than {ROW_SECONDS:g} s on this text of {len(text)} characters; "
                "nested repetition such as (a+)+ is the usual reason."
            ) from error


def _compile(pattern: str) -> "regex.Pattern[str]":
    # Importing regex takes 0.1 s, and only patterns from a recipe need it.
    import regex

    try:
        return regex.compile(pattern, regex.DOTALL)
    except regex.error as error:
        raise ValueError(f"the pattern is not a regular expression: {error}") from error
