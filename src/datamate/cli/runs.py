"""`datamate runs`: recipes at work on the datasets of a server."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from datamate.cli.examples import examples
from datamate.cli.output import json_option, print_json_array, print_model, print_table, shorten
from datamate.cli.progress import show_progress
from datamate.cli.run_report import print_run, readable, show_run_progress
from datamate.cli.server_options import limit_option, open_client, url_option
from datamate.clients.runtime import ENDED
from datamate.contracts.runtime.runs import Run, RunStatus

if TYPE_CHECKING:
    from datamate.sdk.client import Client

_ROW_TEXT_WIDTH = 60


@click.group("runs", epilog=examples("datamate runs create recipe.yaml --dataset notes --watch"))
def command() -> None:
    """Run recipes on datasets of a server, and follow them."""


@command.command(
    "create",
    epilog=examples(
        "datamate runs create recipe.yaml --dataset notes --watch",
        "datamate runs create recipe.yaml --dataset notes --version 3 --output-name clean-notes",
    ),
)
@click.argument("recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dataset", required=True, metavar="NAME", help="Dataset to read, by name or id.")
@click.option("--version", type=click.IntRange(min=1), metavar="N", help="Version to read; the newest if left out.")
@click.option("--output", metavar="NAME", help="Dataset to publish to; the input's own if left out.")
@click.option("--output-name", metavar="NAME", help="Make a new dataset of this name and publish to that.")
@click.option("--output-format", type=click.Choice(["jsonl", "parquet"]), default="jsonl", show_default=True)
@click.option("--watch", is_flag=True, help="Follow the run until it has ended.")
@json_option
@url_option
def create_run(  # noqa: PLR0913 - one parameter for each option
    *,
    recipe: Path,
    dataset: str,
    version: int | None,
    output: str | None,
    output_name: str | None,
    output_format: Literal["jsonl", "parquet"],
    watch: bool,
    as_json: bool,
    url: str | None,
) -> None:
    """Start a run of RECIPE; it goes on at the server when this command ends."""
    if output and output_name:
        raise click.UsageError("Give --output or --output-name, not both.")
    with open_client(url) as client:
        run = client.runs.create(
            recipe,
            dataset,
            version=version,
            output_dataset=output,
            output_name=output_name,
            output_format=output_format,
        )
        if watch:
            _follow(client, run.id, as_json=as_json)
        elif as_json:
            print_model(run)
        else:
            click.echo(f"Run {run.id} is queued; follow it with: datamate runs watch {run.id}")


@command.command("list", epilog=examples("datamate runs list --dataset notes"))
@click.option("--dataset", metavar="NAME", help="Only runs that read or write this dataset, by name or id.")
@limit_option
@json_option
@url_option
def list_runs(*, dataset: str | None, limit: int, as_json: bool, url: str | None) -> None:
    """List runs, newest first."""
    with open_client(url) as client:
        runs = islice(client.runs.list(dataset=dataset), limit)
        if as_json:
            print_json_array(runs)
            return
        print_table(
            ("id", "status", "rows in", "kept", "dropped", "quarantined", "created"),
            (_row(run) for run in runs),
            empty="There are no runs.",
        )


@command.command("show", epilog=examples("datamate runs show 019abc01-2345-7abc-8def-0123456789ab"))
@click.argument("run_id")
@json_option
@url_option
def show_run(*, run_id: str, as_json: bool, url: str | None) -> None:
    """Show a run; once it has ended, with what became of its rows."""
    with open_client(url) as client:
        run = client.runs.get(run_id)
    if as_json:
        print_model(run)
    else:
        print_run(run)


@command.command("watch", epilog=examples("datamate runs watch 019abc01-2345-7abc-8def-0123456789ab"))
@click.argument("run_id")
@json_option
@url_option
def watch_run(*, run_id: str, as_json: bool, url: str | None) -> None:
    """Follow a run until it has ended; the exit code is 0 if it succeeded.

    With --json, prints the run at every change, one JSON document a line.
    """
    with open_client(url) as client:
        _follow(client, run_id, as_json=as_json)


@command.command("cancel", epilog=examples("datamate runs cancel 019abc01-2345-7abc-8def-0123456789ab"))
@click.argument("run_id")
@json_option
@url_option
def cancel_run(*, run_id: str, as_json: bool, url: str | None) -> None:
    """Ask a run to stop; one that has ended stays as it is."""
    with open_client(url) as client:
        run = client.runs.cancel(run_id)
    if as_json:
        print_model(run)
    elif run.status in ENDED:
        click.echo(f"Run {run.id} had ended already: {run.status}.")
    else:
        click.echo(f"Run {run.id} will stop; follow it with: datamate runs watch {run.id}")


@command.command("quarantine", epilog=examples("datamate runs quarantine 019abc01-2345-7abc-8def-0123456789ab --json"))
@click.argument("run_id")
@limit_option
@json_option
@url_option
def list_quarantined(*, run_id: str, limit: int, as_json: bool, url: str | None) -> None:
    """List the rows that a run could not process, each with the error and as it was."""
    with open_client(url) as client:
        rows = islice(client.runs.quarantined(run_id), limit)
        if as_json:
            print_json_array(rows)
            return
        cells = (
            (row.source, row.ordinal, row.operator, row.message, shorten(readable(row), _ROW_TEXT_WIDTH))
            for row in rows
        )
        print_table(("file", "row", "operator", "error", "the row"), cells, empty="No row was quarantined.")


@command.command("dropped", epilog=examples("datamate runs dropped 019abc01-2345-7abc-8def-0123456789ab --limit 20"))
@click.argument("run_id")
@limit_option
@json_option
@url_option
def list_dropped(*, run_id: str, limit: int, as_json: bool, url: str | None) -> None:
    """List the rows that a run dropped, each with the operator and the metric that decided."""
    with open_client(url) as client:
        rows = islice(client.runs.dropped(run_id), limit)
        if as_json:
            print_json_array(rows)
            return
        cells = (
            (row.source, row.ordinal, row.operator, row.metric, "-" if row.value is None else f"{row.value:g}")
            for row in rows
        )
        print_table(("file", "row", "operator", "metric", "value"), cells, empty="No row was dropped.")


def _follow(client: "Client", run_id: str, *, as_json: bool) -> None:
    """Show a run until it has ended; leave with exit code 1 unless it succeeded."""
    with show_progress("Run", unit="bytes") as progress:
        for run in client.runs.watch(run_id):
            if as_json:
                click.echo(run.model_dump_json())
            show_run_progress(progress, run)
    ended = client.runs.get(run_id)
    if not as_json:
        print_run(ended)
    if ended.status is not RunStatus.SUCCEEDED:
        raise click.exceptions.Exit(1)


def _row(run: Run) -> tuple[object, ...]:
    counts = run.summary
    if counts is None:
        return (run.id, run.status, None, None, None, None, run.created_at)
    return (run.id, run.status, counts.rows_in, counts.kept, counts.dropped, counts.quarantined, run.created_at)
