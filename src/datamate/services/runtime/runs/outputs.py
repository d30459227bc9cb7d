"""Takes what the engine left in its folder to the object store: the result, and the fate of every row."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import orjson

from datamate.contracts.data_management.files import StagedFile
from datamate.engine.accounting import RunSummary
from datamate.services.runtime.runs.object_keys import (
    dropped_key,
    parts_prefix,
    quarantine_key,
    rows_prefix,
    staged_result_key,
)
from datamate.storage import BlockingStore, ObjectStore, StoreLocation, open_blocking_store
from datamate.storage.blocking import file_pieces

_MEDIA_TYPES = {".jsonl": "application/x-ndjson", ".parquet": "application/vnd.apache.parquet"}


async def store_outputs(
    location: StoreLocation, summary: RunSummary, *, run_id: str, fence: int, name: str
) -> StagedFile:
    """Put the result and the account of every row into the store, and return the result, ready to be published.

    Repeating it replaces what an earlier attempt put there.

    Args:
        location: The store.
        summary: Says where the engine left its files.
        run_id: The run.
        fence: The claim, so that no two workers write one object.
        name: Path that the result gets in the dataset, without suffix.
    """
    return await asyncio.to_thread(_store_all, open_blocking_store(location), summary, run_id, fence, name)


async def discard_parts(store: ObjectStore, run_id: str) -> None:
    """Remove the part files of a run that has ended."""
    await store.delete([info.key async for info in store.list(parts_prefix(run_id))])


def _store_all(store: BlockingStore, summary: RunSummary, run_id: str, fence: int, name: str) -> StagedFile:
    result, details = Path(summary.export_path), Path(summary.details_path)
    for file in sorted((details / "rows").glob("*.parquet")):
        store.put(rows_prefix(run_id) + file.name, file_pieces(file))
    store.put(dropped_key(run_id), _dropped_lines(details / "rows"))
    quarantine = details / "quarantine.jsonl"
    store.put(quarantine_key(run_id), file_pieces(quarantine) if quarantine.exists() else [])
    key = staged_result_key(run_id, fence, result.suffix)
    content = store.put(key, file_pieces(result))
    return StagedFile(
        path=f"{name}{result.suffix}",
        object_key=key,
        size_bytes=content.size_bytes,
        hash=content.hash,
        media_type=_MEDIA_TYPES[result.suffix],
    )


def _dropped_lines(rows: Path) -> Iterator[bytes]:
    # Polars takes a quarter of a second and 30 MB to import, which a worker that waits for its first run need not have.
    import polars as pl

    for file in sorted(rows.glob("*.parquet")):
        dropped = pl.read_parquet(file).filter(pl.col("outcome") == "dropped").drop("outcome")
        yield b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in dropped.iter_rows(named=True))
