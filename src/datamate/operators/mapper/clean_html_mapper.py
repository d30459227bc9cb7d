"""Turns HTML into plain text."""

import polars as pl
from selectolax.lexbor import LexborHTMLParser

from datamate.operators.base import Mapper, OperatorKind, Params, Spec
from datamate.operators.elementwise import elementwise, replace_where

# Text without any of these at the given place reads the same before and after parsing.
_CHANGES = r"[<&\x00\r]|^[\t\n\x0c ]"
_LIST_TAGS = (("<li>", "\n*"), ("</li>", ""), ("<ol>", "\n*"), ("</ol>", ""))


class CleanHtmlMapper(Mapper[Params]):
    """Removes tags, decodes entities and marks list items with "*" on a line of their own.

    Nothing stands for other tags, so the words around "<br>" run together; the text of scripts and styles stays.

    Source: the rules of Data-Juicer 1.6.1, which parses with selectolax's Lexbor as well.
    Cost: about 15 ms per MB of HTML, 1 ms per MB of text without any.
    """

    spec = Spec(
        name="clean_html_mapper",
        version=1,
        kind=OperatorKind.MAPPER,
        summary="Removes HTML tags, decodes entities and marks list items.",
        writes=("text_key",),
    )
    params_type = Params

    def expr(self) -> pl.Expr:
        """Return the plain text."""
        return elementwise(self.params.text_key, _clean, pl.String)


def _clean(texts: pl.Series) -> pl.Series:
    return replace_where(texts, texts.str.contains(_CHANGES), _parse)


def _parse(texts: pl.Series) -> pl.Series:
    return pl.Series([_plain_text(text) for text in texts.to_list()], dtype=pl.String)


def _plain_text(html: str) -> str:
    for tag, mark in _LIST_TAGS:
        html = html.replace(tag, mark)
    return LexborHTMLParser(html).text()
