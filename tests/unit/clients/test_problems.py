"""Errors that come back over the wire."""

import pytest

from datamate.clients.problems import UnexpectedAnswerError, answer_to_error, problem_to_error
from datamate.contracts.problem import PROBLEM_MEDIA_TYPE, Problem, ProblemField
from datamate.core import errors as core_errors
from datamate.core.errors import ConflictError, DatamateError, FieldError, NotFoundError, UnavailableError


def problem(status: int, code: str, **changes) -> Problem:
    return Problem(**{"title": "t", "status": status, "detail": "words", "code": code, "trace_id": "abc", **changes})


ERROR_TYPES = [
    error_type
    for error_type in vars(core_errors).values()
    if isinstance(error_type, type) and issubclass(error_type, DatamateError) and error_type is not DatamateError
]


@pytest.mark.parametrize("error_type", ERROR_TYPES, ids=lambda error_type: error_type.code)
def test_class_comes_back_when_code_is_one_of_the_core(error_type):
    error = problem_to_error(500, problem(500, error_type.code))
    assert type(error) is error_type
    assert error.detail == "words"
    assert error.__notes__ == ["trace id: abc"]


def test_code_is_kept_when_a_service_has_its_own():
    fields = [ProblemField(field="name", message="taken")]
    error = problem_to_error(409, problem(409, "dataset_name_taken", errors=fields))
    assert type(error) is ConflictError
    assert error.code == "dataset_name_taken"
    assert error.errors == (FieldError("name", "taken"),)


def test_body_of_problem_is_read_when_media_type_has_parameters():
    body = problem(404, "not_found").model_dump_json().encode()
    error = answer_to_error(404, {"content-type": f"{PROBLEM_MEDIA_TYPE}; charset=utf-8"}, body)
    assert type(error) is NotFoundError


@pytest.mark.parametrize(
    ("status", "error_type"),
    [(404, NotFoundError), (502, UnavailableError), (302, UnexpectedAnswerError), (500, UnexpectedAnswerError)],
)
def test_status_decides_when_no_datamate_service_answered(status, error_type):
    error = answer_to_error(status, {"content-type": "text/html"}, b"<h1>nginx</h1>")
    assert type(error) is error_type
    assert str(status) in error.detail


def test_status_decides_when_problem_is_cut_short():
    assert type(answer_to_error(503, {"content-type": PROBLEM_MEDIA_TYPE}, b'{"title": "Serv')) is UnavailableError
