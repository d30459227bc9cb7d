"""The sets agree with the libraries they stand for; an upgrade of Polars or regex that breaks this fails here."""

import re
import sys

import polars as pl
import pytest
import regex

from datamate.operators.character_sets import LATER_DIGIT, LATER_WORD, PYTHON_WHITESPACE, characters, class_body

POINTS = [point for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
EVERYTHING = pl.Series([chr(point) for point in POINTS])


def in_polars(pattern):
    return EVERYTHING.filter(EVERYTHING.str.contains(f"^{pattern}$")).to_list()


def in_regex(pattern):
    return regex.compile(pattern).findall("".join(EVERYTHING.to_list()))


@pytest.mark.parametrize(
    ("polars_pattern", "regex_pattern"),
    [
        (rf"(?s-m:[\w{class_body(LATER_WORD)}])", r"\w"),
        (rf"[\d{class_body(LATER_DIGIT)}]", r"\d"),
        (r"(?i:[a-zİ])", r"(?i)[a-z]"),
        (r"(?i:w)", r"(?i)w"),
    ],
)
def test_class_holds_the_same_characters_when_polars_matches_instead_of_regex(polars_pattern, regex_pattern):
    assert in_polars(polars_pattern) == in_regex(regex_pattern)


def test_white_space_is_the_same_when_polars_matches_instead_of_regex():
    found = EVERYTHING.filter(EVERYTHING.str.contains(r"\s")).to_list()

    assert found == in_regex(r"\s")


def test_stripped_characters_are_those_of_python_when_listed():
    assert characters(PYTHON_WHITESPACE) == "".join(character for character in EVERYTHING if character.isspace())


def test_pythons_word_class_is_isalnum_when_the_character_is_not_ascii():
    word = re.compile(r"\w")

    assert all(bool(word.match(chr(point))) == chr(point).isalnum() for point in POINTS if point >= 128)


def test_ranges_expand_when_a_set_is_asked_for():
    assert characters("41-43 61") == "ABCa"
    assert class_body("41-43 61") == r"\x{41}-\x{43}\x{61}-\x{61}"
