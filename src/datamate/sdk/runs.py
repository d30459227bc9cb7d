"""Runs of recipes over datasets."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from datamate.clients.runtime import ENDED
from datamate.contracts.runtime.runs import (
    ChangedRow,
    CreateRunRequest,
    DroppedRow,
    QuarantinedRow,
    Run,
    RunStatus,
    RunSummary,
)
from datamate.core.errors import DatamateError, InvalidInputError
from datamate.sdk.connection import Connection
from datamate.sdk.dataset_reference import DatasetReference, find_dataset_id
from datamate.sdk.requests import make_request


class RunFailedError(DatamateError):
    """The run did not succeed."""

    code = "run_failed"


class Runs:
    """Starts, follows and cancels runs, and reads back what became of every row."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(  # noqa: PLR0913 - what can be chosen about a run, each by name
        self,
        recipe: str | Path,
        dataset: DatasetReference,
        *,
        version: int | None = None,
        output_dataset: DatasetReference | None = None,
        output_name: str | None = None,
        output_format: Literal["jsonl", "parquet"] = "jsonl",
    ) -> Run:
        """Start a run; it goes on at the server when this program ends.

        Args:
            recipe: The recipe as YAML text, or the path of a file with it.
            dataset: Dataset to read: one at hand, its id, or its name.
            version: Version to read; the newest if None.
            output_dataset: Dataset to publish to; the input's own if both outputs are None.
            output_name: Name of a new dataset to publish to.
            output_format: How the result is stored.

        Raises:
            InvalidInputError: The recipe is wrong; `errors` names each place.
            NotFoundError: There is no such dataset or version.
        """
        values = {
            "recipe": _recipe_text(recipe),
            "dataset_id": self._dataset_id(dataset),
            "version": version,
            "output_dataset_id": None if output_dataset is None else self._dataset_id(output_dataset),
            "output_name": output_name,
            "output_format": output_format,
        }
        request = make_request(CreateRunRequest, values)
        return self._connection.call(self._connection.runtime.create_run(request))

    def list(self, *, dataset: DatasetReference | None = None) -> Iterator[Run]:
        """Yield runs, newest first, perhaps only those that read or write one dataset."""
        dataset_id = None if dataset is None else self._dataset_id(dataset)
        return self._connection.iterate(self._connection.runtime.iterate_runs(dataset_id=dataset_id))

    def get(self, run_id: str) -> Run:
        """Return one run; once it has ended, with its summary or error."""
        return self._connection.call(self._connection.runtime.get_run(run_id))

    def watch(self, run_id: str) -> Iterator[Run]:
        """Yield a run as it is now and at every change until it has ended, across broken connections."""
        return self._connection.iterate(self._connection.runtime.watch_run(run_id))

    def wait(self, run_id: str, *, on_progress: Callable[[Run], None] | None = None) -> RunSummary:
        """Wait until a run has succeeded and return its account: rows in, kept, dropped and quarantined.

        Args:
            run_id: The run.
            on_progress: Called with the run at every change.

        Raises:
            RunFailedError: The run failed or was cancelled; the message says why.
        """
        run = None
        for run in self.watch(run_id):
            if on_progress is not None:
                on_progress(run)
        if run is None or run.status not in ENDED or (run.status is RunStatus.SUCCEEDED and run.summary is None):
            run = self.get(run_id)
        if run.summary is None or run.status is not RunStatus.SUCCEEDED:
            raise RunFailedError(describe_failure(run), code=run.error.code if run.error else None)
        return run.summary

    def cancel(self, run_id: str) -> Run:
        """Ask a run to stop; one that has ended stays as it is."""
        return self._connection.call(self._connection.runtime.cancel_run(run_id))

    def quarantined(self, run_id: str) -> Iterator[QuarantinedRow]:
        """Yield every row that a run could not process, with the reason and the row as it was."""
        return self._connection.iterate(self._connection.runtime.iterate_quarantined(run_id))

    def dropped(self, run_id: str) -> Iterator[DroppedRow]:
        """Yield every row that a filter or deduplicator removed, with the metric that decided."""
        return self._connection.iterate(self._connection.runtime.iterate_dropped(run_id))

    def samples(self, run_id: str) -> tuple[ChangedRow, ...]:
        """Return rows before and after an operator changed them, a few for each operator."""
        return tuple(self._connection.call(self._connection.runtime.list_samples(run_id)).items)

    def _dataset_id(self, dataset: DatasetReference) -> str:
        return self._connection.call(find_dataset_id(self._connection.data_management, dataset))


def describe_failure(run: Run) -> str:
    """Return why a run that ended did not succeed, in words."""
    if run.status is RunStatus.CANCELLED:
        return f"Run {run.id} was cancelled; nothing was published."
    if run.error is not None:
        return f"Run {run.id} failed: {run.error.message}"
    return f"Run {run.id} ended as '{run.status}' and the server does not say why."


def _recipe_text(recipe: str | Path) -> str:
    if isinstance(recipe, str):
        return recipe
    try:
        return recipe.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"The recipe {recipe} cannot be read: {error}.") from None
