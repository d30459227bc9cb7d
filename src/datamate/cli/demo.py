"""`datamate demo`: the platform at work on a sample, in a minute."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from datamate.cli.examples import examples
from datamate.cli.output import json_option
from datamate.cli.progress import show_progress

if TYPE_CHECKING:
    from datamate.app.demo.own_platform import Door, OwnPlatform
    from datamate.app.demo.scenario import DemoResult

_EXIT_TERMINATED = 128 + signal.SIGTERM


@click.command(
    "demo",
    epilog=examples(
        "datamate demo",
        "datamate demo --keep",
        "datamate demo --json > result.json",
        "datamate demo --url http://127.0.0.1:8080 --username admin --password-stdin < password.txt",
    ),
)
@click.option("--url", metavar="URL", help="Use this running platform instead of starting one.")
@click.option("--username", help="Who signs in at --url; left out: the sign-in of `datamate login`.")
@click.option("--password-stdin", is_flag=True, help="Read the password of --username from stdin.")
@click.option("--keep", is_flag=True, help="Leave the platform running, and say how to sign in and stop it.")
@json_option
def command(*, url: str | None, username: str | None, password_stdin: bool, keep: bool, as_json: bool) -> None:
    """Show the platform at work on a sample of messy documents.

    Starts a platform of its own in a temporary folder, uploads a sample of texts in the public domain, runs a recipe
    on it, shows what became of every row, and leaves nothing behind.
    """
    _check_options(url, username=username, password_stdin=password_stdin, keep=keep)
    begun = time.monotonic()
    with _ended_by_signals(), ExitStack() as stack:
        if url is None:
            platform, door = _start(stack, keep=keep)
            result = _play_at(door)
        else:
            platform, door = None, None
            result = _play_signed_in(url, username, from_stdin=password_stdin)
        if as_json:
            click.echo(result.model_dump_json(indent=2))
        else:
            _tell(result, time.monotonic() - begun)
        if platform is not None and door is not None and platform.kept:
            _tell_kept(platform, door, to_stderr=as_json)
        elif not as_json:
            _tell_next(result, is_running=platform is None)


def _check_options(url: str | None, *, username: str | None, password_stdin: bool, keep: bool) -> None:
    if url is None and (username or password_stdin):
        raise click.UsageError(
            "--username and --password-stdin need --url: a platform of our own is signed in to anyway."
        )
    if url is not None and keep:
        raise click.UsageError("--keep is for a platform of our own; the one at --url stays as it is.")
    if password_stdin and not username:
        raise click.UsageError("--password-stdin needs --username.")


def _start(stack: ExitStack, *, keep: bool) -> "tuple[OwnPlatform, Door]":
    # pydantic and the supervisor take 0.2 s to import, which `--help` need not spend.
    from datamate.app.demo.own_platform import OwnPlatform
    from datamate.config.root import load_settings

    # The platform has settings of its own; but a variable that nothing reads is refused here as everywhere.
    load_settings()
    platform = stack.enter_context(OwnPlatform(keep=keep))
    with show_progress("Starting a platform", unit="steps") as progress:
        steps = 0

        def show(line: str) -> None:
            nonlocal steps
            steps += 1
            progress.update(steps, None, line)

        door = platform.start(show)
    return platform, door


def _play_at(door: "Door") -> "DemoResult":
    from datamate.app.demo.scenario import play  # see _start
    from datamate.sdk.client import Client

    with Client.login(door.url, door.username, door.password) as client:
        return play(client, show_progress)


def _play_signed_in(url: str, username: str | None, *, from_stdin: bool) -> "DemoResult":
    from datamate.app.demo.scenario import play  # see _start
    from datamate.cli.login import read_password
    from datamate.sdk.client import Client

    client = Client.login(url, username, read_password(from_stdin=from_stdin)) if username else Client(url)
    with client:
        return play(client, show_progress)


def _tell(result: "DemoResult", seconds: float) -> None:
    from datamate.cli.demo_report import print_result  # see _start

    print_result(result, seconds)


def _tell_kept(platform: "OwnPlatform", door: "Door", *, to_stderr: bool) -> None:
    lines = [
        "",
        f"The platform runs on at {door.url}, with its data in {platform.folder}.",
        f"  Sign in   datamate login --url {door.url} --username {door.username}",
        f"            password {door.password}",
        f"  Stop      kill {platform.process_id}",
        f"  Remove    rm -r {platform.folder}",
    ]
    click.echo("\n".join(lines), err=to_stderr)


def _tell_next(result: "DemoResult", *, is_running: bool) -> None:
    if is_running:
        commands = [
            f"datamate datasets files {result.cleaned.name}",
            f"datamate datasets download {result.cleaned.name} ./{result.cleaned.name}/",
            f"datamate runs quarantine {result.run_id}",
        ]
    else:
        commands = [
            "datamate up                          a platform that stays, on this machine",
            "datamate login                       sign in to it, with the password that `up` shows once",
            "datamate operators list              what a recipe can be made of",
        ]
    click.echo("\nTry next:")
    for line in commands:
        click.echo(f"  {line}")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End in order when somebody asks the process to, or closes its terminal: what was started must stop."""

    def leave(_number: int, _frame: object) -> None:
        sys.exit(_EXIT_TERMINATED)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
