"""What FastAPI and Starlette raise on their own, as problem details."""

from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from datamate.core.errors import (
    DatamateError,
    DeadlineExceededError,
    FieldError,
    InvalidInputError,
    MethodNotAllowedError,
    NotFoundError,
    StorageFullError,
    UnavailableError,
)
from datamate.platform.http.problems import (
    HeaderFields,
    ProblemAnswer,
    internal_problem,
    problem,
    problem_of,
    status_of,
)
from datamate.platform.http.served_request import BodyRefusedError

_log = structlog.get_logger(__name__)

_INPUT_PARTS: Final = frozenset({"body", "query", "path", "header", "cookie"})


def add_error_handlers(app: FastAPI) -> None:
    """Make an application answer every error with a problem."""
    app.add_exception_handler(DatamateError, _datamate_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)


async def _datamate_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, DatamateError)  # noqa: S101 - registered for this class alone
    if status_of(error) < 500:
        return _response(problem_of(error))
    if isinstance(error, UnavailableError | DeadlineExceededError | StorageFullError):
        _log.warning("request_refused", code=error.code, detail=error.detail)
        return _response(problem_of(error))
    _log.error("request_failed", exc_info=error)
    return _response(internal_problem())


async def _validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    fields = [_field_error(item) for item in error.errors()]
    listing = "; ".join(f"{item.field}: {item.message}" if item.field else item.message for item in fields[:3])
    more = f" (and {len(fields) - 3} more)" if len(fields) > 3 else ""
    return _response(problem_of(InvalidInputError(f"The request is not valid. {listing}{more}", errors=fields)))


async def _http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    if isinstance(error, BodyRefusedError):
        return _response(problem_of(error.error))
    headers = [(name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items()]
    return _response(_framework_problem(error, headers))


def _framework_problem(error: HTTPException, headers: HeaderFields) -> ProblemAnswer:
    if error.status_code == 404:
        return problem_of(NotFoundError("There is nothing at this address."), headers=headers)
    if error.status_code == 405:
        return problem_of(MethodNotAllowedError(), headers=headers)
    code = InvalidInputError.code if error.status_code < 500 else DatamateError.code
    return problem(error.status_code, code, str(error.detail), headers=headers)


def _field_error(item: Mapping[str, object]) -> FieldError:
    """Name the field and what is wrong with it; never repeat the input, which may be a secret."""
    location = item.get("loc")
    parts = [str(part) for part in location] if isinstance(location, Sequence) else []
    if item.get("type") == "json_invalid":
        context = item.get("ctx")
        reason = context.get("error") if isinstance(context, Mapping) else "not JSON"
        return FieldError("", f"The body is not JSON: {reason}, at character {parts[-1] if parts else 0}.")
    if parts and parts[0] in _INPUT_PARTS:
        del parts[0]
    return FieldError(".".join(parts), str(item.get("msg", "not valid")))


def _response(answer: ProblemAnswer) -> Response:
    response = Response(answer.body, answer.status)
    response.raw_headers = answer.headers
    return response
