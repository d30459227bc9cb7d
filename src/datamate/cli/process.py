"""The boundary between a command and its process: every ending becomes one message and an exit code."""

import os
import sys
import traceback
from collections.abc import Sequence

import click

from datamate.core.errors import ConfigurationError, DatamateError

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells count."""


def run_to_exit_code(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a command to its end and return the exit code of the process.

    Args:
        command: What to run.
        arguments: What follows the program's name; None takes those of this process.

    Returns:
        0 on success, 2 for wrong usage or configuration, 130 when interrupted, 1 for every other failure.
    """
    try:
        code = command.main(arguments, prog_name="datamate", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output left, as `head` does. Python flushes stdout once more at exit, which must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except DatamateError as error:
        click.echo(describe_error(error), err=True)
        return EXIT_USAGE if isinstance(error, ConfigurationError) else EXIT_FAILURE
    except Exception as error:  # noqa: BLE001 - the process boundary: nobody above could report it
        click.echo(_describe_bug(error), err=True)
        return EXIT_FAILURE
    return code if isinstance(code, int) else 0


def describe_error(error: DatamateError) -> str:
    """Return an error in words: what happened, then each field at fault that the first line does not name yet."""
    lines = [f"Error: {error.detail}"]
    lines += [f"  {item.field or 'input'}: {item.message}" for item in error.errors if item.message not in error.detail]
    lines += [f"  ({note})" for note in getattr(error, "__notes__", ())]
    return "\n".join(lines)


def _describe_bug(error: Exception) -> str:
    if sys.flags.dev_mode:
        return "".join(traceback.format_exception(error)).rstrip()
    return (
        f"Error: {type(error).__name__}: {error}\n"
        "  This is a fault of DataMate; please report it. PYTHONDEVMODE=1 before the command shows where it arose."
    )
