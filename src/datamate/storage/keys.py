"""What an object key may look like: the same for a folder and for a bucket, and never a way out of either."""

import re

from datamate.core.errors import FieldError, InvalidInputError

MAX_KEY_BYTES = 512
_KEY = re.compile(r"[A-Za-z0-9_=-][A-Za-z0-9._=-]*(?:/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*")


def check_key(key: str) -> str:
    """Return `key` if it can name an object.

    Keys are ASCII segments of letters, digits and `._=-` joined by `/`; no segment starts with a dot, so `..` and the
    store's own hidden folders cannot be named. People's file names are never keys: they live in the database.

    Raises:
        InvalidInputError: It cannot.
    """
    if len(key) > MAX_KEY_BYTES or not _KEY.fullmatch(key):
        raise _invalid("key", key, f"segments of letters, digits and ._=- joined by /, at most {MAX_KEY_BYTES} bytes")
    return key


def check_prefix(prefix: str) -> str:
    """Return `prefix` if it names a folder of keys: empty for all, or a key followed by `/`.

    Raises:
        InvalidInputError: It does not.
    """
    if prefix and not (prefix.endswith("/") and len(prefix) <= MAX_KEY_BYTES and _KEY.fullmatch(prefix[:-1])):
        raise _invalid("prefix", prefix, "empty, or folders that end in /")
    return prefix


def _invalid(field: str, value: str, expected: str) -> InvalidInputError:
    message = f"{value[:100]!r} is not an object {field}; expected {expected}"
    return InvalidInputError(f"{message}.", errors=[FieldError(field, message)])
