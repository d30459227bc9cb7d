"""The result of the demonstration, for people."""

import click

from datamate.app.demo.scenario import DemoResult
from datamate.cli.output import count_of, format_bytes, print_fields, print_table, shorten
from datamate.cli.run_report import readable
from datamate.contracts.runtime.runs import ChangedRow

_CHANGES_SHOWN = 3
_QUARANTINED_SHOWN = 5
_EXCERPT_WIDTH = 68
_LEAD = 16
"""Characters shown before the first difference."""


def print_result(result: DemoResult, seconds: float) -> None:
    """Print what happened."""
    _heading("What became of the rows")
    print_fields(
        [
            ("rows in", result.rows_in),
            ("kept", result.kept),
            ("dropped", result.dropped),
            ("quarantined", result.quarantined),
        ]
    )
    click.echo(f"{result.kept:,} + {result.dropped:,} + {result.quarantined:,} = {result.rows_in:,}: none is missing.")
    _heading("Dropped, by reason")
    reasons = sorted(result.dropped_by.items(), key=lambda item: -item[1])
    print_table(("operator", "rows"), [item for item in reasons if item[1]], empty="No row was dropped.")
    _print_quarantine(result)
    _print_changes(result.changed)
    _print_outcome(result, seconds)


def _print_quarantine(result: DemoResult) -> None:
    _heading("Quarantined: kept as they were, with the error")
    for row in result.quarantine[:_QUARANTINED_SHOWN]:
        click.echo(f"{row.source} row {row.ordinal:,}: {row.message}")
        click.echo(f"  {shorten(readable(row), _EXCERPT_WIDTH)}")


def _print_changes(changes: list[ChangedRow]) -> None:
    _heading("Changed")
    for row in most_telling(changes)[:_CHANGES_SHOWN]:
        before, after = excerpts(row.before, row.after)
        click.echo(f"{row.operator}, {row.source} row {row.ordinal:,}")
        click.echo(f"  before  {before}\n  after   {after}")


def _print_outcome(result: DemoResult, seconds: float) -> None:
    _heading("Outcome")
    made_from = ", ".join(f"{edge.source.dataset_name} version {edge.source.version}" for edge in result.lineage.edges)
    size = f"{count_of(result.version.file_count, 'file')}, {format_bytes(result.version.size_bytes)}"
    speed = f"{format_bytes(result.bytes_in)} in {result.run_seconds:.2f} s, {result.megabytes_per_second:g} MB/s"
    print_fields(
        [
            ("new version", f"{result.cleaned.name} version {result.version.version} ({size})"),
            ("made from", f"{made_from} by run {result.run_id}"),
            ("run", speed),
            ("whole demo", f"{seconds:.1f} s"),
        ]
    )


def excerpts(before: str, after: str) -> tuple[str, str]:
    """Return the part of two texts around their first difference, each on one line."""
    place = next(
        (index for index, (old, new) in enumerate(zip(before, after, strict=False)) if old != new),
        min(len(before), len(after)),
    )
    start = max(0, place - _LEAD)
    lead = "…" if start else ""
    return lead + _on_one_line(before[start:]), lead + _on_one_line(after[start:])


def _on_one_line(text: str) -> str:
    line = text.replace("\n", "⏎")
    return line if len(line) <= _EXCERPT_WIDTH else f"{line[:_EXCERPT_WIDTH]}…"


def most_telling(changes: list[ChangedRow]) -> list[ChangedRow]:
    """Return the largest change of each operator, in the order of the operators; changes of white space come last."""
    largest: dict[str, ChangedRow] = {}
    for row in changes:
        if row.operator not in largest or _size(row) > _size(largest[row.operator]):
            largest[row.operator] = row
    return sorted(largest.values(), key=lambda row: _size(row) == 0)


def _size(row: ChangedRow) -> int:
    """Return by how many characters, white space aside, a row became shorter or longer."""
    return abs(len("".join(row.before.split())) - len("".join(row.after.split())))


def _heading(text: str) -> None:
    click.echo(f"\n{click.style(text, bold=True)}")
