"""How far a long piece of work is: a bar on a terminal, a line now and then elsewhere; always on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from datamate.cli.output import format_bytes

_SECONDS_BETWEEN_LINES = 5.0


class Progress(Protocol):
    """Something to tell how far the work is."""

    def update(self, done: int, total: int | None = None, message: str = "", *, unit: str | None = None) -> None:
        """Show that `done` of `total` units are finished.

        Args:
            done: Units finished.
            total: Units in all; None means that it is not known yet.
            message: What is being done now.
            unit: What is counted from now on, if it is not what the work began with.
        """


@contextmanager
def show_progress(title: str, *, unit: str) -> Iterator[Progress]:
    """Show the progress of the work inside the context.

    Args:
        title: What is being done, in a few words.
        unit: What is counted: `bytes`, `rows`, `files`.
    """
    if sys.stderr.isatty():
        with _show_bar(title, unit) as bar:
            yield bar
        return
    lines = PlainLines(title, unit)
    yield lines
    lines.finish()


class PlainLines:
    """Progress as lines of text, for logs and pipes."""

    def __init__(self, title: str, unit: str) -> None:
        self._title, self._unit = title, unit
        self._latest = ""
        self._written = ""
        self._next_line_at = time.monotonic() + _SECONDS_BETWEEN_LINES

    def update(self, done: int, total: int | None = None, message: str = "", *, unit: str | None = None) -> None:
        """Write a line, unless the last one is younger than a few seconds."""
        self._unit = unit or self._unit
        self._latest = f"{self._title}: {describe_progress(done, total, self._unit)}"
        if message:
            self._latest += f" · {message}"
        if time.monotonic() >= self._next_line_at:
            self._write()

    def finish(self) -> None:
        """Write how it ended."""
        self._write()

    def _write(self) -> None:
        self._next_line_at = time.monotonic() + _SECONDS_BETWEEN_LINES
        if self._latest != self._written:
            click.echo(self._latest, err=True)
            self._written = self._latest


def describe_progress(done: int, total: int | None, unit: str) -> str:
    """Return progress in words: `40 % (4,000 of 10,000 rows)`, or `4,000 rows` without a total."""
    amounts = [format_bytes(count) if unit == "bytes" else f"{count:,}" for count in (done, total or 0)]
    suffix = "" if unit == "bytes" else f" {unit}"
    if total is None:
        return f"{amounts[0]}{suffix}"
    percent = 100 if total == 0 else min(100, done * 100 // total)
    return f"{percent} % ({amounts[0]} of {amounts[1]}{suffix})"


@contextmanager
def _show_bar(title: str, first_unit: str) -> Iterator[Progress]:
    # rich takes about 0.1 s to import, which commands without a bar need not spend.
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress
    from rich.table import Column

    # On a narrow terminal the message gives way, not the numbers.
    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[amount]}", table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[message]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    with RichProgress(*columns, console=Console(stderr=True), expand=True) as bars:
        task_id = bars.add_task(title, total=None, amount="", message="")

        class Bar:
            """The one bar of this context."""

            def update(
                self, done: int, total: int | None = None, message: str = "", *, unit: str | None = None
            ) -> None:
                amount = describe_progress(done, total, unit or first_unit)
                bars.update(task_id, completed=done, total=total, amount=amount, message=message)

        yield Bar()
