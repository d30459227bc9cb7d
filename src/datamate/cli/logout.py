"""`datamate logout`: forgets a sign-in."""

import click

from datamate.cli.examples import examples
from datamate.cli.server_options import url_option


@click.command("logout", epilog=examples("datamate logout"))
@url_option
def command(*, url: str | None) -> None:
    """Forget the sign-in of a server on this machine."""
    # pydantic, 0.1 s, is not needed for `--help`.
    from datamate.sdk.credentials import CredentialsFile

    removed = CredentialsFile().remove(url)
    if removed is None:
        click.echo("There was no sign-in to forget.")
    else:
        click.echo(f"Signed out of {removed.url} ({removed.username}).")
