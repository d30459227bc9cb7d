"""`datamate migrate`: brings the database to the newest schema."""

import asyncio
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from datamate.cli.examples import examples
from datamate.cli.output import json_option
from datamate.config.root import Settings, load_settings

if TYPE_CHECKING:
    from datamate.app.migrate import MigrationReport

_BEHIND = 1


@click.command("migrate", epilog=examples("datamate migrate", "datamate migrate --check && datamate serve main"))
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if something is missing.")
@json_option
def command(*, check: bool, as_json: bool) -> int:
    """Bring the database of DATAMATE_DATABASE__URL to the newest schema; safe to run from many places at once.

    The first time it also makes an administrator. Its password is DATAMATE_BOOTSTRAP__ADMIN_PASSWORD, or a random one
    that is written to DATAMATE_HOME/admin-password and shown on the terminal.
    """
    settings = load_settings()
    return _check(settings, as_json=as_json) if check else _migrate(settings, as_json=as_json)


def _check(settings: Settings, *, as_json: bool) -> int:
    # Alembic and SQLAlchemy take 0.6 s to import, which `--help` need not spend.
    from datamate.app.migrate import missing_revisions

    missing = asyncio.run(missing_revisions(settings))
    if as_json:
        _print_json({"missing": _lists(missing)})
    elif missing:
        for schema, revisions in missing.items():
            click.echo(f"{schema}: {', '.join(revisions)} not applied yet")
    else:
        click.echo("The database is up to date.")
    return _BEHIND if missing else 0


def _migrate(settings: Settings, *, as_json: bool) -> int:
    from datamate.app.migrate import migrate  # see _check

    report = asyncio.run(migrate(settings))
    if as_json:
        _print_json({"applied": _lists(report.applied), "first_administrator": _administrator(report)})
        return 0
    for schema, revisions in report.applied.items():
        click.echo(f"{schema}: applied {', '.join(revisions)}")
    if not report.applied:
        click.echo("The database is up to date.")
    if report.administrator is not None:
        click.echo(f"First administrator: {report.administrator.username}, {_where(report)}")
    return 0


def _where(report: "MigrationReport") -> str:
    """Say where the password is; it is shown itself only where no log keeps it."""
    administrator = report.administrator
    if administrator is None or administrator.password is None:
        return "with the password in DATAMATE_BOOTSTRAP__ADMIN_PASSWORD"
    if sys.stdout.isatty():
        return (
            f"password {administrator.password.get_secret_value()} (shown once; also in {administrator.password_file})"
        )
    return f"password in {administrator.password_file}"


def _administrator(report: "MigrationReport") -> dict[str, str | None] | None:
    made = report.administrator
    if made is None:
        return None
    return {"username": made.username, "password_file": str(made.password_file) if made.password_file else None}


def _lists(revisions: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {schema: list(names) for schema, names in revisions.items()}


def _print_json(document: Mapping[str, object]) -> None:
    import orjson  # only where it is asked for

    click.echo(orjson.dumps(document).decode())
