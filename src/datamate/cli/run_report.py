"""What became of the rows of a run, in words and tables."""

from base64 import b64decode

import click

from datamate.cli.output import format_bytes, format_time, print_fields, print_table
from datamate.cli.progress import Progress
from datamate.contracts.runtime.runs import QuarantinedRow, Run, RunSummary


def show_run_progress(progress: Progress, run: Run) -> None:
    """Show how far a run is."""
    if run.progress is None:
        progress.update(0, None, str(run.status))
    else:
        state = run.progress
        progress.update(state.done, state.total, state.message or str(run.status), unit=state.unit)


def print_run(run: Run) -> None:
    """Print one run: what it reads and writes, how it stands, and its account once it has ended."""
    output = run.output_dataset_id + (f" version {run.output_version}" if run.output_version is not None else "")
    print_fields(
        [
            ("id", run.id),
            ("status", run.status),
            ("reads", f"{run.dataset_id} version {run.version}"),
            ("writes", output),
            ("created", format_time(run.created_at)),
            ("started", format_time(run.started_at)),
            ("finished", format_time(run.finished_at)),
            ("error", f"{run.error.message} ({run.error.code})" if run.error else None),
        ]
    )
    if run.summary is not None:
        click.echo()
        print_summary(run.summary)


def print_summary(summary: RunSummary) -> None:
    """Print the account of a run: every row in is kept, dropped or quarantined."""
    print_fields(
        [
            ("rows in", summary.rows_in),
            ("kept", summary.kept),
            ("dropped", summary.dropped),
            ("quarantined", summary.quarantined),
            ("took", f"{summary.seconds:.2f} s, {speed(summary)}"),
        ]
    )
    click.echo()
    rows = (
        (count.operator, count.rows_in, count.changed, count.dropped, count.quarantined, f"{count.seconds:.2f} s")
        for count in summary.operators
    )
    print_table(("operator", "rows in", "changed", "dropped", "quarantined", "time"), rows, empty="No operators.")


def readable(row: QuarantinedRow) -> str:
    """Return a quarantined row as text; bytes that are none are shown as replacement characters."""
    return b64decode(row.raw).decode("utf-8", "replace") if row.raw_encoding == "base64" else row.raw


def speed(summary: RunSummary) -> str:
    """Return bytes read for each second of the engine, in words."""
    return f"{format_bytes(summary.bytes_in / summary.seconds if summary.seconds else 0)}/s"
