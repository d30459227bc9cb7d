"""`datamate worker`: a process that works on tasks."""

import click

from datamate.cli.examples import examples
from datamate.config.root import load_settings


@click.command("worker", epilog=examples("datamate worker", "DATAMATE_WORKER__CONCURRENCY=4 datamate worker"))
def command() -> None:
    """Run a process that works on tasks, until SIGINT or SIGTERM; any number of them may run.

    It needs the same DATAMATE_DATABASE__URL, DATAMATE_REDIS__URL, DATAMATE_STORAGE__URL and secrets as the services.
    A service is called at DATAMATE_<SERVICE>__URL, or within this process when that is not set. A worker that is
    killed loses nothing: another one goes on where it was.
    """
    settings = load_settings()
    # The worker brings the services' frameworks and the engine, over a second to import, which `--help` need not spend.
    from datamate.app.signals import run_until_signalled
    from datamate.app.worker import work

    run_until_signalled(lambda stop: work(settings, stop))
