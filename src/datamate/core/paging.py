"""Opaque keyset cursors: the sort key of the last item seen, encoded for a URL."""

import base64
import binascii
import json

from datamate.core.errors import FieldError, InvalidInputError

MAX_PAGE_SIZE = 1_000
DEFAULT_PAGE_SIZE = 50

CursorKey = tuple[str | int, ...]


def encode_cursor(key: CursorKey) -> str:
    """Return the cursor that continues after the item with this sort key."""
    return base64.urlsafe_b64encode(json.dumps(key, ensure_ascii=False).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, *, kinds: tuple[type[str] | type[int], ...]) -> CursorKey | None:
    """Return the sort key inside a cursor, or None for the first page.

    Args:
        cursor: What an earlier page gave as `next_cursor`, or None.
        kinds: The expected type of each part of the key, in order.

    Raises:
        InvalidInputError: The cursor was not made by `encode_cursor` for a key of this shape.
    """
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeError, ValueError):
        parts = None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds) or not all(map(_storable, parts)):
        error = FieldError("cursor", "not a cursor of this list; leave it out to start at the first page")
        raise InvalidInputError("The cursor is not valid.", errors=[error])
    return tuple(parts)


def _storable(part: str | int) -> bool:
    """Return whether a database could compare with this: only a cursor made by hand holds anything else."""
    if isinstance(part, int):
        return -(2**63) <= part < 2**63
    return "\0" not in part and not any("\ud800" <= char <= "\udfff" for char in part)
