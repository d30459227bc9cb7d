"""What commands print: tables for people, JSON for programs, and numbers both can read."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    # pydantic takes 0.1 s to import; `datamate run` prints tables without it.
    from pydantic import BaseModel, JsonValue

_ROWS_MEASURED_AT_ONCE = 500
_COLUMN_GAP = "  "

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout, and nothing else there.")


def print_model(model: "BaseModel") -> None:
    """Print one wire type as a JSON document."""
    click.echo(model.model_dump_json(indent=2))


def print_json(document: "Mapping[str, JsonValue]") -> None:
    """Print a JSON document that is no wire type."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_json_array(models: "Iterable[BaseModel]") -> None:
    """Print a list of any length as one JSON array, item by item as they come."""
    separator = "["
    for model in models:
        click.echo(f"{separator}\n{model.model_dump_json()}", nl=False)
        separator = ","
    click.echo("[]" if separator == "[" else "\n]")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print rows in aligned columns, numbers to the right; widths fit the rows seen so far.

    Args:
        columns: The headings.
        rows: One value per column; ints are shown with thousands separators.
        empty: What to say on stderr when there are no rows.
    """
    iterator = iter(rows)
    widths = [len(column) for column in columns]
    heading: Sequence[object] | None = [column.upper() for column in columns]
    while block := list(islice(iterator, _ROWS_MEASURED_AT_ONCE)):
        texts = [[_cell(value) for value in row] for row in block]
        widths = [max(width, *(len(row[index]) for row in texts)) for index, width in enumerate(widths)]
        if heading is not None:
            click.echo(_line([str(text) for text in heading], block[0], widths))
            heading = None
        for row, values in zip(texts, block, strict=True):
            click.echo(_line(row, values, widths))
    if heading is not None:
        click.echo(empty, err=True)


def print_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair a line; pairs whose value is None are left out."""
    known = [(name, _cell(value)) for name, value in fields if value is not None]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        click.echo(f"{name:<{width}}{_COLUMN_GAP}{value}")


def format_bytes(count: float) -> str:
    """Return a number of bytes in a unit that people read: `1.4 MB` (powers of 1,000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def count_of(count: int, thing: str) -> str:
    """Return a number of things: `1 file`, `2,000 files`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def format_time(instant: datetime | None) -> str:
    """Return an instant in this machine's time zone, to the second; "-" for none."""
    return "-" if instant is None else f"{instant.astimezone():%Y-%m-%d %H:%M:%S}"


def shorten(text: str, width: int) -> str:
    """Return text on one line, cut to `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case datetime():
            return format_time(value)
        case _:
            return str(value)


def _line(texts: Sequence[str], values: Sequence[object], widths: Sequence[int]) -> str:
    return _COLUMN_GAP.join(_aligned(texts, values, widths)).rstrip()


def _aligned(texts: Sequence[str], values: Sequence[object], widths: Sequence[int]) -> Iterator[str]:
    for text, value, width in zip(texts, values, widths, strict=True):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        yield text.rjust(width) if is_number else text.ljust(width)
