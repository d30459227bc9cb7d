"""`datamate migrate`: what it says and how it ends."""

import json
import stat

import pytest

from datamate.cli.migrate import command
from datamate.cli.process import run_to_exit_code
from datamate.config.root import known_variables


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATAMATE_HOME", str(tmp_path / "home"))


def test_schemas_are_applied_and_the_password_is_where_it_says(empty_database_url, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("DATAMATE_DATABASE__URL", empty_database_url)
    assert run_to_exit_code(command, ["--check"]) == 1
    assert "main: main_0001 not applied yet" in capsys.readouterr().out
    assert run_to_exit_code(command, []) == 0
    password_file = tmp_path / "home" / "admin-password"
    output = capsys.readouterr().out
    assert "main: applied main_0001" in output
    assert f"First administrator: admin, password in {password_file}" in output
    # Not a terminal: a log may keep what is printed.
    assert password_file.read_text().strip() not in output
    assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
    for arguments in (["--check"], []):
        assert run_to_exit_code(command, arguments) == 0
        assert capsys.readouterr().out == "The database is up to date.\n"


def test_json_says_what_was_done(empty_database_url, monkeypatch, capsys):
    monkeypatch.setenv("DATAMATE_DATABASE__URL", empty_database_url)
    monkeypatch.setenv("DATAMATE_BOOTSTRAP__ADMIN_USERNAME", "root")
    monkeypatch.setenv("DATAMATE_BOOTSTRAP__ADMIN_PASSWORD", "chosen by the operator")
    assert run_to_exit_code(command, ["--check", "--json"]) == 1
    missing = json.loads(capsys.readouterr().out)["missing"]
    assert run_to_exit_code(command, ["--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {"applied": missing, "first_administrator": {"username": "root", "password_file": None}}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "DATAMATE_DATABASE__URL is missing"),
        ({"DATAMATE_DATABSE__URL": "postgresql://x"}, "did you mean DATAMATE_DATABASE__URL?"),
        ({"DATAMATE_BOOTSTRAP__ADMIN_USERNAME": "two words"}, "DATAMATE_BOOTSTRAP__ADMIN_USERNAME"),
        ({"DATAMATE_BOOTSTRAP__ADMIN_PASSWORD": "short"}, "DATAMATE_BOOTSTRAP__ADMIN_PASSWORD"),
    ],
)
def test_one_message_and_exit_code_2_when_the_configuration_is_wrong(variables, message, monkeypatch, capsys):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run_to_exit_code(command, []) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_exit_code_2_when_the_password_cannot_be_written(empty_database_url, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("DATAMATE_DATABASE__URL", empty_database_url)
    (tmp_path / "home").write_text("a file where the folder should be")
    assert run_to_exit_code(command, []) == 2
    assert "admin-password: File exists" in capsys.readouterr().err


def test_exit_code_1_when_postgresql_is_away(monkeypatch, capsys):
    monkeypatch.setenv("DATAMATE_DATABASE__URL", "postgresql://someone:secret@127.0.0.1:1/datamate")
    assert run_to_exit_code(command, []) == 1
    error = capsys.readouterr().err
    assert "PostgreSQL at 127.0.0.1:1/datamate does not answer" in error
    assert "secret" not in error
