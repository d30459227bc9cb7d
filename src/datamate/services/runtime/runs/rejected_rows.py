"""Reads back the rows that a run dropped or quarantined, a page at a time, at the cost of that page."""

from collections.abc import Callable
from typing import Final, TypeVar

import orjson

from datamate.contracts.base import ResponseBody
from datamate.contracts.paging import Page
from datamate.contracts.runtime.runs import DroppedRow, QuarantinedRow, Run, RunSummary
from datamate.core.errors import FieldError, InvalidInputError
from datamate.core.paging import decode_cursor, encode_cursor
from datamate.services.runtime.runs.errors import RunNotFinishedError
from datamate.services.runtime.runs.object_keys import dropped_key, quarantine_key
from datamate.storage import ObjectStore

RowT = TypeVar("RowT", bound=ResponseBody)

_BLOCK_BYTES: Final = 256 << 10
_PAGE_BYTES: Final = 16 << 20
"""A page of rows larger than this ends early: rows may be of any size."""
_SHOWN_CHARS: Final = 2_000


async def list_quarantined(store: ObjectStore, run: Run, *, cursor: str | None, limit: int) -> Page[QuarantinedRow]:
    """Return a page of the rows that could not be processed, in source order.

    Raises:
        RunNotFinishedError: The run has not succeeded, so the list is not complete.
    """
    summary = _finished(run)
    return await _page(
        store, quarantine_key(run.id), _as_quarantined, total=summary.quarantined, cursor=cursor, limit=limit
    )


async def list_dropped(store: ObjectStore, run: Run, *, cursor: str | None, limit: int) -> Page[DroppedRow]:
    """Return a page of the rows that operators removed, in source order within each stage.

    Raises:
        RunNotFinishedError: The run has not succeeded, so the list is not complete.
    """
    summary = _finished(run)
    return await _page(store, dropped_key(run.id), _as_dropped, total=summary.dropped, cursor=cursor, limit=limit)


def _finished(run: Run) -> RunSummary:
    if run.summary is None:
        raise RunNotFinishedError(f"Run {run.id} has no account: it is {run.status.value}.")
    return run.summary


async def _page(  # noqa: PLR0913 - the parts of one page
    store: ObjectStore,
    key: str,
    as_row: Callable[[bytes], RowT],
    *,
    total: int,
    cursor: str | None,
    limit: int,
) -> Page[RowT]:
    """Read lines from the byte that the cursor names."""
    after = decode_cursor(cursor, kinds=(int,))
    start = 0 if after is None else int(after[0])
    lines, end = await _lines(store, key, start, limit)
    try:
        items = [as_row(line) for line in lines]
    except orjson.JSONDecodeError:
        error = FieldError("cursor", "not a cursor of this list; leave it out to start at the first page")
        raise InvalidInputError("The cursor is not valid.", errors=[error]) from None
    size = (await store.head(key)).size_bytes
    return Page(items=items, next_cursor=encode_cursor((end,)) if end < size else None, total=total)


async def _lines(store: ObjectStore, key: str, start: int, limit: int) -> tuple[list[bytes], int]:
    """Return up to `limit` lines from byte `start`, and the byte after the last of them."""
    held, position = b"", start
    while (whole := held.count(b"\n")) < limit and not (whole and len(held) > _PAGE_BYTES):
        block = await store.read(key, start=position, end=position + _BLOCK_BYTES)
        held += block
        position += len(block)
        if len(block) < _BLOCK_BYTES:
            break
    lines = held.split(b"\n")[:-1][:limit]
    return lines, start + sum(len(line) + 1 for line in lines)


def _as_quarantined(line: bytes) -> QuarantinedRow:
    record = orjson.loads(line)
    raw = record.get("raw", record.get("raw_base64", ""))
    return QuarantinedRow(
        source=record["source"],
        ordinal=record["ordinal"],
        operator=record["operator"],
        code=record["code"],
        message=record["message"],
        raw=raw[:_SHOWN_CHARS],
        raw_encoding="base64" if "raw_base64" in record else "utf-8",
    )


def _as_dropped(line: bytes) -> DroppedRow:
    return DroppedRow.model_validate_json(line)
