"""`datamate serve`: one service, or all of them, as a server process."""

import click

from datamate.app.services import SERVICES
from datamate.cli.examples import examples
from datamate.config.root import load_settings

_ALL = "all"


@click.command("serve", epilog=examples("datamate serve main", "DATAMATE_GATEWAY__HOST=0.0.0.0 datamate serve gateway"))
@click.argument("service", type=click.Choice([_ALL, *(entry.name for entry in SERVICES)]))
def command(service: str) -> None:
    """Run one service as a process of its own, until SIGINT or SIGTERM; `all` runs every one in this process.

    PostgreSQL and Redis are those that DATAMATE_DATABASE__URL and DATAMATE_REDIS__URL name; run `datamate migrate`
    once before. A service listens on DATAMATE_<SERVICE>__HOST and __PORT, and finds the others at
    DATAMATE_<SERVICE>__URL. Any number of replicas may run.
    """
    settings = load_settings()
    # The server brings its framework and drivers, over a second to import, which `--help` need not spend.
    from datamate.app.serve import serve
    from datamate.app.signals import run_until_signalled

    run_until_signalled(lambda stop: serve(settings, service, stop))
