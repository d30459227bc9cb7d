"""Drops texts that occurred before."""

import string

import polars as pl
from blake3 import blake3
from pydantic import Field

from datamate.operators.base import Deduplicator, OperatorKind, Params, Spec
from datamate.operators.character_sets import LATER_DIGIT, PYTHON_WHITESPACE, characters, class_body
from datamate.operators.elementwise import elementwise

_STRIPPED = characters(PYTHON_WHITESPACE)
_PUNCTUATION = "".join(f"\\x{{{ord(character):X}}}" for character in string.punctuation)
_NOT_CHARACTER = rf"[\s\d{class_body(LATER_DIGIT)}{_PUNCTUATION}]+"
_KEY_BYTES = 16


class DocumentDeduplicatorParams(Params):
    """What counts as the same text."""

    lowercase: bool = Field(default=False, description="Whether texts that differ only in case are the same.")
    ignore_non_character: bool = Field(
        default=False,
        description="Whether texts that differ only in white space, digits and ASCII punctuation are the same.",
    )


class DocumentDeduplicator(Deduplicator[DocumentDeduplicatorParams]):
    """Keeps the first of all rows whose texts are equal, after white space is stripped from both ends.

    The key is the first 16 bytes of the text's BLAKE3 hash, so even made-up input cannot make different texts
    collide.

    Source: the rules of Data-Juicer 1.6.1, which hashes by MD5; its digits are those of the regex module.
    Cost: about 1.5 ms per MB.
    """

    spec = Spec(
        name="document_deduplicator",
        version=1,
        kind=OperatorKind.DEDUPLICATOR,
        summary="Keeps the first of all rows with the same text.",
    )
    params_type = DocumentDeduplicatorParams

    def expr(self) -> pl.Expr:
        """Return the hash of the normalised text."""
        return elementwise(self.params.text_key, self._keys, pl.Binary)

    def _keys(self, texts: pl.Series) -> pl.Series:
        if self.params.lowercase:
            # Python's lower(), whose Unicode version Data-Juicer's results depend on.
            lowered = [None if text is None else text.lower() for text in texts.to_list()]
            texts = pl.Series(lowered, dtype=pl.String)
        if self.params.ignore_non_character:
            texts = texts.str.replace_all(_NOT_CHARACTER, "")
        encoded = texts.str.strip_chars(_STRIPPED).cast(pl.Binary).to_list()
        keys = [None if text is None else blake3(text).digest(_KEY_BYTES) for text in encoded]
        return pl.Series(keys, dtype=pl.Binary)
