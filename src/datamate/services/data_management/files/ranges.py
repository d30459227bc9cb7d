"""Which bytes of a file a request asks for, and whether it needs them at all: RFC 9110, sections 13 and 14."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

_RANGE: Final = re.compile(r"bytes=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*", re.IGNORECASE)
_ENTITY_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


@dataclass(frozen=True, slots=True)
class Representation:
    """What a request is about.

    Attributes:
        etag: A strong entity tag, with its quotes.
        modified_at: When the content came; whole seconds count.
        size_bytes: Size of the whole.
    """

    etag: str
    modified_at: datetime
    size_bytes: int

    @property
    def last_modified(self) -> str:
        """Return the time as a header has it."""
        return format_datetime(self.modified_at.astimezone(UTC), usegmt=True)


@dataclass(frozen=True, slots=True)
class Selection:
    """What to answer.

    Attributes:
        status: 200 the whole, 206 a part, 304 nothing new, 412 it is not what the client thinks, 416 no such part.
        start: First byte.
        end: The byte after the last.
    """

    status: int
    start: int = 0
    end: int = 0


def select_bytes(headers: Mapping[str, str], target: Representation) -> Selection:
    """Return what a GET or HEAD with these headers is answered.

    One range is served; a request for several gets the whole, as RFC 9110 permits, and so does a `Range` that cannot
    be read.

    Args:
        headers: Of the request; case-insensitive.
        target: What the request is about.
    """
    refused = _precondition(headers, target)
    if refused is not None:
        return Selection(refused)
    whole = Selection(200, 0, target.size_bytes)
    match = _RANGE.fullmatch(headers.get("range", ""))
    if match is None or not _still_current(headers.get("if-range"), target):
        return whole
    return _part(match[1], match[2], whole)


def _part(first: str, last: str, whole: Selection) -> Selection:
    size = whole.end
    if not first:
        if not last:
            return whole
        start, end = max(0, size - int(last)), size
    else:
        start = int(first)
        end = min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return whole
    return Selection(206, start, end) if start < end else Selection(416, 0, size)


def _precondition(headers: Mapping[str, str], target: Representation) -> int | None:
    """Return the status of a precondition that fails, in the order of RFC 9110, section 13.2.2."""
    if (wanted := headers.get("if-match")) is not None:
        if not _names(wanted, target.etag, weakly=False):
            return 412
    elif (since := _time(headers.get("if-unmodified-since"))) is not None and _modified(target) > since:
        return 412
    if (known := headers.get("if-none-match")) is not None:
        return 304 if _names(known, target.etag, weakly=True) else None
    if (since := _time(headers.get("if-modified-since"))) is not None and _modified(target) <= since:
        return 304
    return None


def _still_current(condition: str | None, target: Representation) -> bool:
    """Return whether a range may be served: only if the client's part is of this very content."""
    if condition is None:
        return True
    if '"' in condition:
        return condition.strip() == target.etag
    return _time(condition) == _modified(target)


def _names(field: str, etag: str, *, weakly: bool) -> bool:
    if field.strip() == "*":
        return True
    tags = _ENTITY_TAG.findall(field)
    return etag in ([tag.removeprefix("W/") for tag in tags] if weakly else tags)


def _modified(target: Representation) -> datetime:
    return target.modified_at.replace(microsecond=0)


def _time(field: str | None) -> datetime | None:
    """Return the time in a header; one that cannot be read does not count."""
    if field is None:
        return None
    try:
        parsed = parsedate_to_datetime(field)
    except (ValueError, TypeError):
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
