"""What the demonstration does on a platform: upload, run, and read back what became of every row."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from datamate.contracts.data_management.datasets import Dataset
from datamate.contracts.data_management.versions import DatasetVersion, Lineage
from datamate.contracts.runtime.runs import ChangedRow, QuarantinedRow, Run, RunSummary
from datamate.core.ids import new_id
from datamate.sdk.client import Client
from datamate.sdk.transfer import TransferProgress

SAMPLE = Path(__file__).with_name("sample")
RECIPE = Path(__file__).with_name("recipe.yaml")

_QUARANTINED_SHOWN = 20


class Counter(Protocol):
    """Something to tell how far a step is."""

    def update(self, done: int, total: int | None = None, message: str = "", *, unit: str | None = None) -> None:
        """Show that `done` of `total` units are finished, counted in `unit` from now on."""


class ShowProgress(Protocol):
    """Shows the progress of a step."""

    def __call__(self, title: str, *, unit: str) -> AbstractContextManager[Counter]:
        """Begin to show a step; its end is the end of the context."""


class DemoResult(BaseModel):
    """What happened, as `datamate demo --json` prints it: rows_in = kept + dropped + quarantined."""

    model_config = ConfigDict(frozen=True)

    url: str
    rows_in: int
    kept: int
    dropped: int
    quarantined: int
    dropped_by: dict[str, int]
    bytes_in: int
    bytes_out: int
    run_seconds: float
    megabytes_per_second: float
    upload_seconds: float
    files_uploaded: int
    bytes_uploaded: int
    run_id: str
    dataset: Dataset
    cleaned: Dataset
    version: DatasetVersion
    lineage: Lineage
    quarantine: list[QuarantinedRow]
    changed: list[ChangedRow]


def play(client: Client, show_progress: ShowProgress) -> DemoResult:
    """Upload the sample, run the recipe on it, and return what happened.

    Raises:
        DatamateError: A step failed; what was uploaded until then stays on the server.
    """
    name = f"demo-{new_id()[-6:]}"
    dataset = client.datasets.create(name, description="Sample of `datamate demo`: texts in the public domain.")
    begun = time.monotonic()
    with show_progress("Uploading the sample", unit="bytes") as counter:
        uploaded = client.datasets.upload(
            dataset, SAMPLE, message="The sample, as it was found", on_progress=_upload_progress(counter)
        )
    upload_seconds = time.monotonic() - begun
    run = client.runs.create(RECIPE, dataset, output_name=f"{name}-clean")
    with show_progress("Running the recipe", unit="bytes") as counter:
        summary = client.runs.wait(run.id, on_progress=_run_progress(counter))
    return _collect(
        client, client.runs.get(run.id), summary, upload=(uploaded.sent, uploaded.bytes_sent, upload_seconds)
    )


def _collect(client: Client, run: Run, summary: RunSummary, *, upload: tuple[int, int, float]) -> DemoResult:
    """Read back everything that the run left."""
    cleaned = client.datasets.get(run.output_dataset_id)
    [version] = islice(client.datasets.versions(cleaned), 1)
    files, size_bytes, seconds = upload
    return DemoResult(
        url=client.url,
        rows_in=summary.rows_in,
        kept=summary.kept,
        dropped=summary.dropped,
        quarantined=summary.quarantined,
        dropped_by=summary.dropped_by,
        bytes_in=summary.bytes_in,
        bytes_out=summary.bytes_out,
        run_seconds=summary.seconds,
        megabytes_per_second=round(summary.bytes_in / 1e6 / summary.seconds, 2) if summary.seconds else 0.0,
        upload_seconds=seconds,
        files_uploaded=files,
        bytes_uploaded=size_bytes,
        run_id=run.id,
        dataset=client.datasets.get(run.dataset_id),
        cleaned=cleaned,
        version=version,
        lineage=client.datasets.lineage(cleaned, version.version),
        quarantine=list(islice(client.runs.quarantined(run.id), _QUARANTINED_SHOWN)),
        changed=list(client.runs.samples(run.id)),
    )


def _upload_progress(counter: Counter) -> Callable[[TransferProgress], None]:
    return lambda state: counter.update(state.bytes_done, state.bytes_total, f"{state.files_done} files")


def _run_progress(counter: Counter) -> Callable[[Run], None]:
    def show(run: Run) -> None:
        if run.progress is None:
            counter.update(0, None, str(run.status))
        else:
            state = run.progress
            counter.update(state.done, state.total, state.message, unit=state.unit)

    return show
