"""`datamate doctor`: what is wrong with an installation, and the way out."""

import asyncio
import json
from dataclasses import asdict

import click

from datamate.cli.examples import examples
from datamate.cli.output import json_option
from datamate.cli.process import EXIT_FAILURE

_MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}
_NAME_WIDTH = 18
_INDENT = " " * 8


@click.command("doctor", epilog=examples("datamate doctor", "datamate doctor --json"))
@json_option
def command(*, as_json: bool) -> int:
    """Find out what is wrong with an installation.

    Looks at the machine, at DATAMATE_HOME and its secrets, at the ports, and at what answers. Changes nothing. Ends
    with exit code 1 if DataMate cannot work like this.
    """
    return asyncio.run(_diagnose(as_json=as_json))


async def _diagnose(*, as_json: bool) -> int:
    # The checks bring database and Redis clients, most of a second, which `--help` need not spend.
    from datamate.app.supervisor.diagnosis.run import diagnose

    checks = []
    async for check in diagnose():
        checks.append(check)
        if not as_json:
            mark, colour = _MARKS[check.status]
            click.echo(f"{click.style(mark, fg=colour)}  {check.name:<{_NAME_WIDTH}}{check.detail}")
            if check.way_out:
                click.echo(f"{_INDENT}{check.way_out}")
    failed = sum(check.status == "fail" for check in checks)
    if as_json:
        click.echo(json.dumps({"healthy": failed == 0, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        click.echo(f"{len(checks)} checks, {failed} failed." if failed else f"{len(checks)} checks, none failed.")
    return EXIT_FAILURE if failed else 0
