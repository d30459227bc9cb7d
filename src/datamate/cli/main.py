"""The root of the command line: which commands exist and where each one lives."""

import sys
from typing import NoReturn

import click

from datamate import __version__
from datamate.cli.lazy_group import CommandEntry, LazyGroup
from datamate.cli.process import run_to_exit_code

COMMANDS = {
    "up": CommandEntry("datamate.cli.up", "Start the whole platform on this machine."),
    "demo": CommandEntry("datamate.cli.demo", "Show the platform at work on a sample of messy documents."),
    "run": CommandEntry("datamate.cli.run", "Run a recipe on local files, without any server."),
    "login": CommandEntry("datamate.cli.login", "Sign in to a server; the other commands then use it."),
    "logout": CommandEntry("datamate.cli.logout", "Forget the sign-in of a server."),
    "datasets": CommandEntry("datamate.cli.datasets", "List, create, upload, download and delete datasets."),
    "operators": CommandEntry("datamate.cli.operators", "List the operators and show what each one takes."),
    "runs": CommandEntry("datamate.cli.runs", "Run recipes on datasets of a server, and follow them."),
    "tasks": CommandEntry("datamate.cli.tasks", "List, follow and cancel the tasks of a server."),
    "users": CommandEntry("datamate.cli.users", "List and create the users of a server."),
    "doctor": CommandEntry("datamate.cli.doctor", "Find out what is wrong with an installation."),
    "serve": CommandEntry("datamate.cli.serve", "Run one service as a process of its own."),
    "worker": CommandEntry("datamate.cli.worker", "Run a process that works on tasks."),
    "migrate": CommandEntry("datamate.cli.migrate", "Bring the database to the newest schema."),
}

_HELP = """Turn raw files into clean, versioned, traceable datasets.

\b
Examples:
  datamate demo                      see what it does, in a minute
  datamate up                        start the platform on this machine
  datamate run recipe.yaml           run a recipe on local files
  datamate COMMAND --help            what a command does, with an example
"""


def _show_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        click.echo(f"datamate {__version__}")
        ctx.exit()


_VERSION_OPTION = click.Option(
    ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Show the version."
)

root = LazyGroup("datamate", COMMANDS, description=_HELP, params=[_VERSION_OPTION])


def main() -> NoReturn:
    """Run the command that this process was started with, and end the process."""
    sys.exit(run_to_exit_code(root))
