"""Errors as RFC 9457 problem details: one table of statuses, one way to write them."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import orjson
from starlette.types import Send

from datamate.contracts.problem import PROBLEM_MEDIA_TYPE
from datamate.core import errors
from datamate.core.errors import DatamateError, FieldError
from datamate.core.ids import new_id
from datamate.platform.telemetry.context import current_request

STATUS_OF_ERROR: Final[dict[type[DatamateError], int]] = {
    errors.InvalidInputError: 422,
    errors.UnauthenticatedError: 401,
    errors.PermissionDeniedError: 403,
    errors.NotFoundError: 404,
    errors.MethodNotAllowedError: 405,
    errors.ConflictError: 409,
    errors.PreconditionFailedError: 412,
    errors.TooLargeError: 413,
    errors.UnsupportedMediaTypeError: 415,
    errors.RangeNotSatisfiableError: 416,
    errors.RateLimitedError: 429,
    errors.UnavailableError: 503,
    errors.DeadlineExceededError: 504,
    errors.StorageFullError: 507,
}

INTERNAL_DETAIL: Final = "Something went wrong inside DataMate. The logs name this request by its trace_id."

HeaderFields = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    """A problem, ready to send."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    async def send(self, send: Send) -> None:
        """Send the whole answer."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def status_of(error: DatamateError) -> int:
    """Return the HTTP status of an error: that of its nearest class in the table, or else 500."""
    for cls in type(error).__mro__:
        if cls in STATUS_OF_ERROR:
            return STATUS_OF_ERROR[cls]
    return 500


def problem_of(error: DatamateError, *, headers: HeaderFields = ()) -> ProblemAnswer:
    """Return the answer that tells a client about an error."""
    status = status_of(error)
    extra = [*headers]
    if status == 401:
        extra.append((b"www-authenticate", b'Bearer realm="datamate"'))
    return problem(status, error.code, error.public_detail, errors=error.errors, headers=extra)


def problem(
    status: int, code: str, detail: str, *, errors: Sequence[FieldError] = (), headers: HeaderFields = ()
) -> ProblemAnswer:
    """Return a problem as an answer; its `trace_id` is that of the current request."""
    request = current_request()
    body = orjson.dumps(
        {
            "type": "about:blank",
            "title": _title(status),
            "status": status,
            "detail": detail,
            "code": code,
            "trace_id": request.trace_id if request else new_id().replace("-", ""),
            "errors": [{"field": item.field, "message": item.message} for item in errors],
        }
    )
    fields = [
        (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    return ProblemAnswer(status, fields, body)


def internal_problem() -> ProblemAnswer:
    """Return the answer to an error that nobody foresaw: it says nothing but where to look."""
    return problem(500, DatamateError.code, INTERNAL_DETAIL)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
