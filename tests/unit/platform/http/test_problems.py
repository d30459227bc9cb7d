"""Problems tell clients what they can act on, and nothing about the installation."""

from datamate.platform.db.errors import connect_error
from datamate.platform.http.problems import problem_of


def test_address_of_the_server_stays_inside_when_it_does_not_answer():
    error = connect_error(OSError("refused"), where="user@db.internal:5432/datamate")
    assert "db.internal" in error.detail
    assert b"db.internal" not in problem_of(error).body
