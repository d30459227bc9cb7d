"""Runs a recipe in this process for the command line: progress, Ctrl-C, and the account at the end."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from datamate.cli.output import format_bytes, print_fields, print_table
from datamate.cli.process import EXIT_INTERRUPTED
from datamate.cli.progress import Progress, show_progress
from datamate.engine.accounting import RunSummary
from datamate.engine.coordinator import RunProgress, Watch
from datamate.engine.errors import RunCancelledError
from datamate.engine.local.launch import HostProcess
from datamate.engine.recipe import Recipe, load_recipe
from datamate.engine.run import RunOptions, preview_recipe, run_recipe


class LocalRun:
    """A recipe with the command's own values in place of its."""

    def __init__(self, path: str, *, dataset_path: str | None, export_path: str | None, np: int | None) -> None:
        """Name the recipe; it is read later."""
        self._path = path
        self._dataset_path, self._export_path, self._np = dataset_path, export_path, np

    def explain(self, *, as_json: bool) -> None:
        """Show the plan."""
        plan, partitions = preview_recipe(self._load())
        if as_json:
            click.echo(json.dumps({**plan.to_json(), "partitions": len(partitions)}, indent=2, ensure_ascii=False))
        else:
            click.echo(plan.describe(partitions=len(partitions)))

    def execute(self, host: HostProcess, *, overwrite: bool, resume: bool, as_json: bool) -> None:
        """Run the recipe and print the account."""
        with _stoppable() as stop, show_progress("running", unit="bytes") as progress:
            watch = Watch(on_progress=lambda state: _show(progress, state), is_cancelled=stop.requested)
            options = RunOptions(overwrite=overwrite, resume=resume, watch=watch)
            try:
                summary = run_recipe(self._load(), options, host=host)
            except RunCancelledError:
                click.echo("Stopped. What is done is kept; add --resume to go on from there.", err=True)
                click.get_current_context().exit(EXIT_INTERRUPTED)
        if as_json:
            click.echo(json.dumps(summary.to_json(), indent=2, ensure_ascii=False))
        else:
            _print_account(summary)

    def _load(self) -> Recipe:
        recipe = load_recipe(self._path)
        return recipe.with_overrides(dataset_path=self._dataset_path, export_path=self._export_path, np=self._np)


class _Stop:
    """Whether the user asked to stop; the second time is not asked but done."""

    def __init__(self) -> None:
        self._requested = False

    def requested(self) -> bool:
        return self._requested

    def request(self, _signal: int, _frame: FrameType | None) -> None:
        if self._requested:
            raise KeyboardInterrupt
        self._requested = True


@contextmanager
def _stoppable() -> Iterator[_Stop]:
    """Let Ctrl-C and SIGTERM end the run between two commits, not in the middle of one."""
    stop = _Stop()
    former = {number: signal.signal(number, stop.request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _show(progress: Progress, state: RunProgress) -> None:
    stage = f"stage {state.stage + 1} of {state.stages}: {state.partitions_done} of {state.partitions} partitions"
    progress.update(state.bytes, max(state.bytes, state.bytes_total), f"{stage}, {state.rows:,} rows")


def _print_account(summary: RunSummary) -> None:
    speed = summary.bytes_in / summary.seconds if summary.seconds else 0
    print_fields(
        [
            ("rows in", summary.rows_in),
            ("kept", summary.kept),
            ("dropped", summary.dropped),
            ("quarantined", summary.quarantined),
            ("took", f"{summary.seconds:.2f} s, {format_bytes(speed)}/s"),
            ("peak memory", format_bytes(summary.peak_memory_bytes)),
            ("reused", f"{summary.partitions_reused} commits" if summary.partitions_reused else None),
            ("replaced", f"{summary.workers_replaced} worker processes" if summary.workers_replaced else None),
            ("output", f"{summary.export_path} ({format_bytes(summary.bytes_out)})"),
            ("details", summary.details_path),
        ]
    )
    click.echo()
    rows = (
        (count.operator, count.rows_in, count.changed, count.dropped, count.quarantined, f"{count.seconds:.2f} s")
        for count in summary.operators
    )
    print_table(("operator", "rows in", "changed", "dropped", "quarantined", "time"), rows, empty="No operators.")
