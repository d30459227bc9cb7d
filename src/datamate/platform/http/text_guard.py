"""Refuses text that PostgreSQL cannot store, wherever a request may carry it: U+0000 and lone surrogates."""

import re
from typing import Final
from urllib.parse import parse_qsl

import orjson
from starlette.types import Scope

from datamate.core.errors import FieldError, InvalidInputError

_JSON_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NUL_MESSAGE: Final = "must not hold the character U+0000, which PostgreSQL cannot store"


def refuse_nul(scope: Scope) -> None:
    """Refuse a U+0000 in a path or query.

    Raises:
        InvalidInputError: There is one; `errors` names the field.
    """
    if "\x00" in scope["path"]:
        raise InvalidInputError("The path holds U+0000.", errors=[FieldError("path", _NUL_MESSAGE)])
    query: bytes = scope["query_string"]
    if b"%00" in query or b"\x00" in query:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        fields = [name.replace("\x00", "") for name, value in pairs if "\x00" in name + value]
        raise InvalidInputError("The query holds U+0000.", errors=[FieldError(name, _NUL_MESSAGE) for name in fields])


def refuse_bad_json(body: bytes) -> None:
    r"""Refuse a JSON text with U+0000, lone surrogates or bytes that are not UTF-8; Python's parser takes all three.

    Raises:
        InvalidInputError: It holds one of them, or is not JSON for another reason.
    """
    if body.isascii() and b"\\u" not in body:
        return
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        detail = f"The body is not JSON: {error}."
        raise InvalidInputError(detail, errors=[FieldError("", detail)]) from None
    if b"\\u0000" in body and _JSON_NUL.search(body):
        raise InvalidInputError("The body holds U+0000.", errors=[FieldError("", _NUL_MESSAGE)])
