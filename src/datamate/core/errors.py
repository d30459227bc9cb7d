"""The one exception tree: every error DataMate raises on purpose derives from `DatamateError`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field of an input.

    Attributes:
        field: Where, as a dotted path (`process.3.max_len`), or "" for the whole input.
        message: What is wrong and what would be right, in plain words.
    """

    field: str
    message: str


class DatamateError(Exception):
    """Something went wrong inside DataMate."""

    code: str = "internal"
    retryable: ClassVar[bool] = False

    def __init__(
        self, detail: str | None = None, *, code: str | None = None, errors: Sequence[FieldError] = ()
    ) -> None:
        """Make an error whose message is `detail`, or else the first line of the class's docstring.

        Args:
            detail: What happened, where, and the way out, in words meant for the user.
            code: A machine-readable code that replaces the class's own, as when a client rebuilds a remote error.
            errors: The single fields at fault, if the input has fields.
        """
        self.detail = detail or (type(self).__doc__ or "").partition("\n")[0]
        self.errors = tuple(errors)
        if code is not None:
            self.code = code
        super().__init__(self.detail)

    @property
    def public_detail(self) -> str:
        """What people outside may read: the detail, unless that tells where the parts of an installation are."""
        return self.detail


class InvalidInputError(DatamateError):
    """The input does not fit what is expected here."""

    code = "invalid_input"


class UnauthenticatedError(DatamateError):
    """Sign in first: no valid credentials came with this request."""

    code = "unauthenticated"


class PermissionDeniedError(DatamateError):
    """Your role does not permit this."""

    code = "permission_denied"


class NotFoundError(DatamateError):
    """There is nothing here by that name."""

    code = "not_found"


class MethodNotAllowedError(DatamateError):
    """This address does not answer to that method."""

    code = "method_not_allowed"


class ConflictError(DatamateError):
    """The request contradicts what is stored."""

    code = "conflict"


class PreconditionFailedError(DatamateError):
    """The object changed since you last read it; read it again and repeat."""

    code = "precondition_failed"


class TooLargeError(DatamateError):
    """The input is larger than this place accepts."""

    code = "too_large"


class UnsupportedMediaTypeError(DatamateError):
    """This place does not read that media type."""

    code = "unsupported_media_type"


class RangeNotSatisfiableError(DatamateError):
    """The requested byte range lies outside the file."""

    code = "range_not_satisfiable"


class RateLimitedError(DatamateError):
    """Too many requests; wait and try again."""

    code = "rate_limited"
    retryable = True


class UnavailableError(DatamateError):
    """A part that this request needs does not answer at the moment; try again."""

    code = "unavailable"
    retryable = True


class DeadlineExceededError(DatamateError):
    """The time allowed for this request ran out."""

    code = "deadline_exceeded"
    retryable = True


class StorageFullError(DatamateError):
    """There is no space left to write to; free some and try again."""

    code = "storage_full"
    retryable = True


class ConfigurationError(DatamateError):
    """The configuration of this process is wrong."""

    code = "configuration"
