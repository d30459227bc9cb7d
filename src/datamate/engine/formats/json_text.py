"""Replaces single values inside the text of a JSON object and leaves every other byte as it is.

Rows of JSON are never parsed and written anew: numbers keep their digits, keys their order and their doubles, and no
schema has to be found that fits all rows.
"""

import json
import re
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]  # the C scanner behind json.loads

import orjson

from datamate.engine.errors import BadRowError

_SPACE = b" \t\n\r"
_BACKSLASH = ord("\\")
_MARK = b"0"
_WHITESPACE = re.compile(r"[ \t\n\r]*")
# Numbers stay text: Python refuses integers of more than 4,300 digits, and their value is of no interest here.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


def replace_value(line: bytes, column: str, value: bytes) -> bytes:
    """Return a JSON object with another value for one key.

    Args:
        line: A valid JSON object in UTF-8 whose value at `column` is a string.
        column: The key; of one that occurs twice, the last counts, as for every JSON parser in use here.
        value: The new value as JSON.
    """
    start, end = _find_quickly(line, column) or _find_exactly(line, column)
    return line[:start] + value + line[end:]


def parse_object(line: bytes) -> Mapping[str, object]:
    """Parse a JSON object leniently in what is not text: numbers of any size are accepted.

    Raises:
        BadRowError: The bytes are not UTF-8 (`invalid_utf8`), no JSON (`bad_json`), or no object (`not_an_object`).
    """
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        found = _parse_by_standard_library(line, error)
    if not isinstance(found, dict):
        raise BadRowError(f"the row is a JSON {type_name(found)}, not an object", code="not_an_object")
    return found


def _parse_by_standard_library(line: bytes, refusal: orjson.JSONDecodeError) -> object:
    # orjson refuses numbers beyond a double and halves of surrogate pairs, which are valid JSON and no business of
    # ours as long as they are not in the text.
    try:
        return json.loads(line.decode(), parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise BadRowError(f"byte {error.start} of the row is not UTF-8", code="invalid_utf8") from error
    except (ValueError, RecursionError) as error:
        raise BadRowError(f"the row is not valid JSON: {refusal}", code="bad_json") from error


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def type_name(value: object) -> str:
    """Return what JSON calls the type of a parsed value."""
    if value is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), type(value).__name__)


def _find_quickly(line: bytes, column: str) -> tuple[int, int] | None:
    """Look for the key as it is usually written, and prove the find by parsing the rest of the line without it."""
    needle = orjson.dumps(column)
    place = line.find(needle)
    while place >= 0:
        span = _string_after_colon(line, place + len(needle))
        if span is not None:
            # With the number 0 in place of the right string, and only then, the object's value is 0.
            try:
                rest = orjson.loads(line[: span[0]] + _MARK + line[span[1] :])
            except orjson.JSONDecodeError:
                return None
            value = rest.get(column)
            if value == 0 and type(value) is int:
                return span
        place = line.find(needle, place + 1)
    return None


def _string_after_colon(line: bytes, place: int) -> tuple[int, int] | None:
    """Return where the string begins and ends that follows a key ending at `place`."""
    place = _skip_space(line, place)
    if line[place : place + 1] != b":":
        return None
    start = _skip_space(line, place + 1)
    if line[start : start + 1] != b'"':
        return None
    end = line.find(b'"', start + 1)
    while end >= 0:
        before = end - 1
        while line[before] == _BACKSLASH:
            before -= 1
        if (end - before) % 2:
            return start, end + 1
        end = line.find(b'"', end + 1)
    return None


def _skip_space(line: bytes, place: int) -> int:
    while line[place] in _SPACE:
        place += 1
    return place


def _find_exactly(line: bytes, column: str) -> tuple[int, int]:
    """Walk over the object's members, whatever way its keys are written."""
    text = line.decode()
    start, end = next((start, end) for key, start, end in reversed(list(members(text))) if key == column)
    return len(text[:start].encode()), len(text[:end].encode())


def members(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each key of a valid JSON object with the place where its value begins and ends in the text."""
    place = _skip(text, text.index("{") + 1)
    while text[place] != "}":
        key, place = scanstring(text, place + 1, True)
        start = _skip(text, _skip(text, place) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield key, start, end
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    match = _WHITESPACE.match(text, place)
    return match.end() if match else place
