"""`datamate users`: the accounts of a server."""

import click

from datamate.cli.examples import examples
from datamate.cli.login import read_password
from datamate.cli.output import format_time, json_option, print_fields, print_json_array, print_model, print_table
from datamate.cli.server_options import open_client, url_option
from datamate.contracts.main.users import User


@click.group("users", epilog=examples("datamate users create ann --role EDITOR"))
def command() -> None:
    """List and create the users of a server."""


@command.command("list", epilog=examples("datamate users list --json"))
@json_option
@url_option
def list_users(*, as_json: bool, url: str | None) -> None:
    """List the users; for administrators."""
    with open_client(url) as client:
        users = client.users.list()
        if as_json:
            print_json_array(users)
            return
        rows = ((str(user.id), user.username, user.role, user.email, user.enabled, user.created_at) for user in users)
        print_table(("id", "name", "role", "e-mail", "enabled", "created"), rows, empty="There are no users.")


@command.command(
    "create",
    epilog=examples(
        "datamate users create ann --role EDITOR",
        "datamate users create bob --role VIEWER --password-stdin < password.txt",
    ),
)
@click.argument("username")
@click.option("--role", default="VIEWER", show_default=True, help="ADMIN, EDITOR or VIEWER.")
@click.option("--email", help="E-mail address.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin instead of asking for it.")
@json_option
@url_option
def create_user(  # noqa: PLR0913 - one parameter for each option
    *, username: str, role: str, email: str | None, password_stdin: bool, as_json: bool, url: str | None
) -> None:
    """Create a user; the password has 12 characters or more."""
    with open_client(url) as client:
        password = read_password(from_stdin=password_stdin, confirm=True)
        user = client.users.create(username, password, role=role, email=email)
    if as_json:
        print_model(user)
    else:
        click.echo(f"Created user {user.username} ({user.role}).")


@command.command(
    "show",
    epilog=examples(
        "datamate users show",
        "datamate users show ann",
    ),
)
@click.argument("user", required=False)
@json_option
@url_option
def show_user(*, user: str | None, as_json: bool, url: str | None) -> None:
    """Show a user by name or id, or yourself."""
    with open_client(url) as client:
        found = client.users.get(user) if user else client.users.me()
    if as_json:
        print_model(found)
    else:
        _print_user(found)


def _print_user(user: User) -> None:
    print_fields(
        [
            ("id", str(user.id)),
            ("name", user.username),
            ("role", user.role),
            ("e-mail", user.email),
            ("enabled", user.enabled),
            ("created", format_time(user.created_at)),
        ]
    )
