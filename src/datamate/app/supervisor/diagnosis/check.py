"""One finding of a diagnosis."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from datamate.core.errors import DatamateError


class Status(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """A finding.

    Attributes:
        name: What was looked at.
        status: How bad it is.
        detail: What was found, in plain words.
        way_out: What to do about it; empty when nothing is needed.
    """

    name: str
    status: Status
    detail: str
    way_out: str = ""


def ok(name: str, detail: str) -> Check:
    """Return a finding that needs nothing."""
    return Check(name, Status.OK, detail)


def warn(name: str, detail: str, way_out: str) -> Check:
    """Return a finding that may become a problem."""
    return Check(name, Status.WARN, detail, way_out)


def fail(name: str, detail: str, way_out: str = "") -> Check:
    """Return a finding that keeps DataMate from working; `detail` may already name the way out."""
    return Check(name, Status.FAIL, detail, way_out)


def collect(name: str, look: Callable[[], list[Check]]) -> list[Check]:
    """Return what `look` finds; an error that it meets is a finding too."""
    try:
        return look()
    except (DatamateError, OSError) as error:
        return [_from_error(name, error)]


async def attempt(name: str, look: Callable[[], Awaitable[Check]]) -> Check:
    """Return what `look` finds; an error that it meets is a finding too."""
    try:
        return await look()
    except (DatamateError, OSError) as error:
        return _from_error(name, error)


def _from_error(name: str, error: DatamateError | OSError) -> Check:
    if isinstance(error, DatamateError):
        return fail(name, error.detail)
    if isinstance(error, PermissionError):
        return fail(name, f"{error.filename} is closed to this user.", "Run this command as the user of DataMate.")
    return fail(name, str(error))
