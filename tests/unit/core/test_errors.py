"""The exception tree tells users what happened and callers whether to try again."""

import inspect

from datamate.core import errors


def every_error_class():
    return [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.DatamateError)]


def test_message_is_first_docstring_line_when_no_detail_is_given():
    assert str(errors.StorageFullError()) == "There is no space left to write to; free some and try again."


def test_code_of_the_class_is_kept_when_an_instance_has_its_own():
    error = errors.ConflictError("Name taken.", code="dataset_name_taken")
    assert (error.code, errors.ConflictError.code) == ("dataset_name_taken", "conflict")


def test_codes_are_distinct_over_the_tree():
    codes = [cls.code for cls in every_error_class()]
    assert len(codes) == len(set(codes))


def test_only_passing_faults_are_retryable():
    assert {cls.__name__ for cls in every_error_class() if cls.retryable} == {
        "DeadlineExceededError",
        "RateLimitedError",
        "StorageFullError",
        "UnavailableError",
    }
