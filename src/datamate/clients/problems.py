"""Turns an error answer of a service back into the error of `datamate.core.errors` that caused it."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from datamate.contracts.problem import PROBLEM_MEDIA_TYPE, Problem
from datamate.core.errors import (
    ConflictError,
    DatamateError,
    DeadlineExceededError,
    FieldError,
    InvalidInputError,
    MethodNotAllowedError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    RangeNotSatisfiableError,
    RateLimitedError,
    StorageFullError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedMediaTypeError,
)

_BY_STATUS: dict[int, type[DatamateError]] = {
    400: InvalidInputError,
    401: UnauthenticatedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    408: DeadlineExceededError,
    409: ConflictError,
    410: NotFoundError,
    412: PreconditionFailedError,
    413: TooLargeError,
    414: TooLargeError,
    415: UnsupportedMediaTypeError,
    416: RangeNotSatisfiableError,
    422: InvalidInputError,
    429: RateLimitedError,
    431: TooLargeError,
    502: UnavailableError,
    503: UnavailableError,
    504: DeadlineExceededError,
    507: StorageFullError,
}


class UnexpectedAnswerError(DatamateError):
    """The service answered something that this version of DataMate does not understand."""

    code = "unexpected_answer"


def problem_to_error(status: int, problem: Problem) -> DatamateError:
    """Return the error that a problem describes, with its code, detail and field errors kept.

    Args:
        status: The HTTP status of the answer; it decides when the code is not one of `datamate.core.errors`.
        problem: The body of the answer.

    Returns:
        An error to raise. Where the service gave a trace id, the error carries it as a note (`__notes__`).
    """
    by_code = {error_type.code: error_type for error_type in _core_errors()}
    error_type = by_code.get(problem.code) or _BY_STATUS.get(status, DatamateError)
    errors = [FieldError(item.field, item.message) for item in problem.errors]
    error = error_type(problem.detail, code=problem.code, errors=errors)
    if problem.trace_id:
        error.add_note(f"trace id: {problem.trace_id}")
    return error


def answer_to_error(status: int, headers: Mapping[str, str], body: bytes) -> DatamateError:
    """Return the error for any answer that is not a success, even one that no DataMate service wrote.

    Args:
        status: The HTTP status, 300 or above.
        headers: Lower-case names.
        body: What came, perhaps cut short.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == PROBLEM_MEDIA_TYPE:
        try:
            return problem_to_error(status, Problem.model_validate_json(body))
        except ValidationError:
            pass  # a proxy may cut the body short; the status still tells what kind of error it is
    error_type = _BY_STATUS.get(status, UnexpectedAnswerError)
    return error_type(f"The server answered with HTTP status {status} and no explanation; is this a DataMate server?")


def _core_errors(base: type[DatamateError] = DatamateError) -> Iterator[type[DatamateError]]:
    for error_type in base.__subclasses__():
        if error_type.__module__ == DatamateError.__module__:
            yield error_type
            yield from _core_errors(error_type)
