"""One canonical form of a path, used to route, to authorise and to forward; what has two readings is refused."""

import re
from typing import Final

from datamate.core.errors import FieldError, InvalidInputError

_PCHAR: Final = rb"[A-Za-z0-9._~!$&'()*+,;=:@-]"
_PLAIN: Final = re.compile(rb"(?:/" + _PCHAR + rb"+)*/?")
"""Non-empty segments without escapes. Source: RFC 3986 section 3.3."""

_ESCAPED: Final = re.compile(rb"(?:/(?:" + _PCHAR + rb"|%[0-9A-Fa-f]{2})+)*/?")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_REFUSED: Final = frozenset({*range(0x20), 0x7F, *b"/\\%"})
"""Escapes that one reader sees as a separator, an end or the start of another escape, and the next one does not.

An escaped percent sign is refused as well: whoever decodes twice would see another path.
"""


def canonical_path(raw_path: bytes) -> bytes:
    """Return the one form of a path: escapes only where needed, in upper case.

    Args:
        raw_path: As it came over the wire, without the query.

    Raises:
        InvalidInputError: The path can be read in more than one way.
    """
    if not raw_path.startswith(b"/"):
        raise _refusal("does not start with a slash")
    if _PLAIN.fullmatch(raw_path):
        path = raw_path
    elif _ESCAPED.fullmatch(raw_path):
        path = _ESCAPE.sub(_canonical_escape, raw_path)
        _refuse_broken_text(path)
    else:
        raise _refusal("holds an empty segment, a backslash, or a character that must be escaped")
    if b"/." in path and any(segment in (b".", b"..") for segment in path.split(b"/")):
        raise _refusal("holds a dot segment")
    return path


def _canonical_escape(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16)
    if code in _REFUSED:
        raise _refusal(f"holds the escape %{code:02X}")
    return bytes((code,)) if code in _UNRESERVED else b"%%%02X" % code


def _refuse_broken_text(path: bytes) -> None:
    try:
        _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), path).decode()
    except UnicodeDecodeError:
        raise _refusal("holds escapes that are not UTF-8") from None


def _refusal(reason: str) -> InvalidInputError:
    return InvalidInputError(f"The path {reason}.", errors=[FieldError("path", reason)])
