"""What the path of a file may look like, in every dataset."""

import unicodedata
from typing import Final

from datamate.core.errors import FieldError
from datamate.services.data_management.versions.errors import InvalidPathError

MAX_PATH_BYTES: Final = 1024
MAX_SEGMENT_BYTES: Final = 255
"""What the file systems that people download to accept. Source: POSIX NAME_MAX on Linux, macOS and Windows."""

_FORBIDDEN_CATEGORIES: Final = {
    "Cc": "a control character",
    "Cs": "half of a surrogate pair",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SHOWN_CHARS: Final = 100


def normal_path(path: str, *, field: str = "path") -> str:
    """Return a path in the one form in which it is stored: Unicode NFC, its letters' case kept.

    Args:
        path: Relative, with / between folders.
        field: Where it stands in the request, for the error.

    Raises:
        InvalidPathError: It is empty, absolute, too long, or holds an empty segment, `.`, `..`, a backslash, or a
            character that cannot be seen or reorders what can.
    """
    normal = unicodedata.normalize("NFC", path)
    fault = _fault(normal)
    if fault is not None:
        shown = ascii(path[:_SHOWN_CHARS]) + ("…" if len(path) > _SHOWN_CHARS else "")
        raise InvalidPathError(f"{shown} cannot be the path of a file: {fault}.", errors=[FieldError(field, fault)])
    return normal


def _fault(path: str) -> str | None:
    if not path:
        return "it is empty"
    if path.startswith("/"):
        return "it starts with /; paths are relative to the dataset"
    if "\\" in path:
        return "it holds a backslash; put / between folders"
    unseen = next((char for char in path if _is_forbidden(char)), None)
    if unseen is not None:
        return f"it holds {_FORBIDDEN_CATEGORIES.get(unicodedata.category(unseen), 'a reordering character')}"
    if len(path.encode()) > MAX_PATH_BYTES:
        return f"it is longer than {MAX_PATH_BYTES} bytes in UTF-8"
    return next((fault for segment in path.split("/") if (fault := _segment_fault(segment))), None)


def _is_forbidden(char: str) -> bool:
    return char in _REORDERING or unicodedata.category(char) in _FORBIDDEN_CATEGORIES


def _segment_fault(segment: str) -> str | None:
    if not segment:
        return "it holds an empty segment (// or a / at its end)"
    if segment in {".", ".."}:
        return f"it holds the segment {segment}"
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        return f"one of its segments is longer than {MAX_SEGMENT_BYTES} bytes in UTF-8"
    return None
