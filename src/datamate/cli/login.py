"""`datamate login`: signs in and keeps the sign-in for the other commands."""

import sys

import click

from datamate.cli.examples import examples
from datamate.cli.output import format_time
from datamate.cli.server_options import DEFAULT_URL


@click.command(
    "login",
    epilog=examples(
        "datamate login",
        "datamate login --url https://datamate.example.org --username ann --password-stdin < password.txt",
    ),
)
@click.option("--url", default=DEFAULT_URL, show_default=True, metavar="URL", help="Address of the server.")
@click.option("--username", prompt="User name", help="Who signs in; asked for when left out.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin instead of asking for it.")
def command(*, url: str, username: str, password_stdin: bool) -> None:
    """Sign in to a server; the other commands then use it.

    The password is not kept. The token is, in a file that only you can read, until it expires or you log out.
    """
    # Signing in needs the client and with it aiohttp; `--help` does not.
    from datamate.sdk.credentials import CredentialsFile
    from datamate.sdk.sign_in import sign_in

    password = read_password(from_stdin=password_stdin)
    credentials = sign_in(url, username, password)
    CredentialsFile().save(credentials)
    click.echo(
        f"Signed in to {credentials.url} as {credentials.username} until {format_time(credentials.expires_at)}.\n"
        "Try next: datamate datasets list"
    )


def read_password(*, from_stdin: bool, confirm: bool = False) -> str:
    """Return a password: the first line of stdin, or what a person types unseen, twice if it is to be confirmed.

    Raises:
        click.UsageError: Nothing came.
    """
    if not from_stdin:
        if not sys.stdin.isatty():
            raise click.UsageError("There is no terminal to ask for the password; pipe it in with --password-stdin.")
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError("--password-stdin: no password came on stdin; pipe it in, on one line.")
    return line
