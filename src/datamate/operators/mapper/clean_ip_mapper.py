"""Removes IPv4 and IPv6 addresses."""

import polars as pl

from datamate.operators.base import OperatorKind, Spec
from datamate.operators.character_sets import LATER_DIGIT, class_body
from datamate.operators.elementwise import replace_where
from datamate.operators.mapper.pattern import PatternMapper

_NUMBER = r"(?:1[0-9][0-9]|2[0-4][0-9]|25[0-5]|[1-9]?[0-9])"
_HEX = rf"[\d{class_body(LATER_DIGIT)}a-fA-F]{{1,4}}"
_IPV4 = rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
_IPV4_OR_IPV6 = rf"{_IPV4}|(?:{_HEX}:){{7}}{_HEX}"

# Each address holds one of these, and they begin with a rare byte, so the search for them runs at memory speed.
_IPV4_PART = r"\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"
_IPV6_PART = r":[^\s:]{1,4}:[^\s:]{1,4}:"


class CleanIpMapper(PatternMapper):
    """Replaces IPv4 and full-length IPv6 addresses, by default with nothing.

    Any four numbers up to 255 with dots between them count, even inside a longer number (of "1.2.3.456" the part
    "1.2.3.45" goes). Shortened IPv6 addresses ("::1") stay.

    Source: the pattern of Data-Juicer 1.6.1. Its only class that differs between the two engines is Unicode's digits;
    those too new for Polars are added by hand.
    Cost: about 0.9 ms per MB; only rows that hold a part of an address are searched.
    """

    spec = Spec(
        name="clean_ip_mapper",
        version=1,
        kind=OperatorKind.MAPPER,
        summary="Removes IPv4 and IPv6 addresses, or replaces them.",
        writes=("text_key",),
    )
    default_pattern = (
        r"(?:(?:1[0-9][0-9]\.)|(?:2[0-4][0-9]\.)|(?:25[0-5]\.)|(?:[1-9][0-9]\.)|(?:[0-9]\.)){3}"
        r"(?:(?:1[0-9][0-9])|(?:2[0-4][0-9])|(?:25[0-5])|(?:[1-9][0-9])|(?:[0-9]))|([\da-fA-F]{1,4}:){7}[\da-fA-F]{1,4}"
    )

    def replace_default(self, texts: pl.Series, replacement: str) -> pl.Series:
        """Search the rows that may hold an address, for IPv6 only where it may be."""
        in_ipv4, in_ipv6 = texts.str.contains(_IPV4_PART), texts.str.contains(_IPV6_PART)
        texts = replace_where(texts, in_ipv6, lambda rows: rows.str.replace_all(_IPV4_OR_IPV6, replacement))
        return replace_where(texts, in_ipv4 & ~in_ipv6, lambda rows: rows.str.replace_all(_IPV4, replacement))
