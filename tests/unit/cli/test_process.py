"""Every ending of a command: its message and its exit code."""

import subprocess
import sys

import click
import pytest

from datamate.cli.process import run_to_exit_code
from datamate.core.errors import ConfigurationError, FieldError, InvalidInputError, NotFoundError


def command_that(action) -> click.Command:
    @click.command()
    def command() -> None:
        action()

    return command


def raises(error: BaseException):
    def action() -> None:
        raise error

    return action


def with_note(error: Exception, note: str) -> Exception:
    error.add_note(note)
    return error


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (NotFoundError("There is no dataset 'x'."), 1, "Error: There is no dataset 'x'.\n"),
        (
            InvalidInputError("Two things are wrong.", errors=[FieldError("a", "is no"), FieldError("", "b")]),
            1,
            "Error: Two things are wrong.\n  a: is no\n  input: b\n",
        ),
        (
            InvalidInputError("a: is no.", errors=[FieldError("a", "is no")]),
            1,
            "Error: a: is no.\n",
        ),
        (with_note(NotFoundError("Gone."), "trace id: 7"), 1, "Error: Gone.\n  (trace id: 7)\n"),
        (ConfigurationError("Set it."), 2, "Error: Set it.\n"),
        (KeyboardInterrupt(), 130, "\nInterrupted.\n"),
        (click.Abort(), 130, "Interrupted.\n"),
        (click.exceptions.Exit(1), 1, ""),
    ],
)
def test_message_is_plain_when_command_fails(capsys, error, code, message):
    assert run_to_exit_code(command_that(raises(error)), []) == code
    printed = capsys.readouterr()
    assert printed.err == message
    assert printed.out == ""


def test_usage_is_named_when_arguments_are_wrong(capsys):
    assert run_to_exit_code(command_that(lambda: None), ["--no-such-option"]) == 2
    assert "--no-such-option" in capsys.readouterr().err


def test_fault_is_owned_when_error_is_unexpected(capsys):
    assert run_to_exit_code(command_that(raises(ZeroDivisionError("oh"))), []) == 1
    assert "This is a fault of DataMate" in capsys.readouterr().err


def test_exit_code_is_zero_when_command_succeeds():
    assert run_to_exit_code(command_that(lambda: None), []) == 0


@pytest.mark.parametrize(
    "endless",
    ["while True: print('x' * 1000)", "print('first', flush=True); import time; time.sleep(0.3); print('second')"],
)
def test_process_is_quiet_when_reader_leaves(endless):
    program = f"""
import sys, click
from datamate.cli.process import run_to_exit_code
@click.command()
def command():
    {endless}
sys.exit(run_to_exit_code(command, []))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 1
    assert process.stderr.read() == b""
    process.stderr.close()
