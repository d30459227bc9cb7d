"""The runtime service: the operator catalogue and runs of recipes."""

from collections.abc import AsyncGenerator

from datamate.clients.caller import Call, Caller, segment
from datamate.clients.pages import iterate_pages
from datamate.clients.transport import Transport
from datamate.clients.watch import watch
from datamate.contracts.paging import Page
from datamate.contracts.runtime.operators import Operator
from datamate.contracts.runtime.runs import (
    ChangedRow,
    CreateRunRequest,
    DroppedRow,
    QuarantinedRow,
    Run,
    RunStatus,
)
from datamate.core.paging import DEFAULT_PAGE_SIZE

ENDED = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED})
"""The statuses after which a run does not change any more."""


class RuntimeClient:
    """Typed calls of the runtime service; every one raises the `DatamateError` that the service raised."""

    def __init__(self, transport: Transport, *, deadline_seconds: float = 30.0) -> None:
        self._caller = Caller(transport, deadline_seconds=deadline_seconds)

    async def list_operators(self, *, cursor: str | None = None, limit: int = DEFAULT_PAGE_SIZE) -> Page[Operator]:
        """Return a page of the operator catalogue."""
        call = Call("GET", "/runtime/operators", {"cursor": cursor, "limit": limit})
        return await self._caller.fetch(call, Page[Operator])

    def iterate_operators(self, *, page_size: int = 200) -> AsyncGenerator[Operator, None]:
        """Yield every operator."""
        return iterate_pages(lambda cursor: self.list_operators(cursor=cursor, limit=page_size))

    async def get_operator(self, name: str) -> Operator:
        """Return one operator with its parameters."""
        return await self._caller.fetch(Call("GET", f"/runtime/operators/{segment(name)}"), Operator)

    async def create_run(self, request: CreateRunRequest) -> Run:
        """Start a run of a recipe over a dataset version.

        Raises:
            InvalidInputError: The recipe is wrong; `errors` names each place.
            NotFoundError: There is no such dataset or version.
        """
        return await self._caller.fetch(Call("POST", "/runtime/runs", body=request), Run)

    async def list_runs(
        self, *, dataset_id: str | None = None, cursor: str | None = None, limit: int = DEFAULT_PAGE_SIZE
    ) -> Page[Run]:
        """Return a page of runs, newest first."""
        query = {"dataset_id": dataset_id, "cursor": cursor, "limit": limit}
        return await self._caller.fetch(Call("GET", "/runtime/runs", query), Page[Run])

    def iterate_runs(self, *, dataset_id: str | None = None, page_size: int = 100) -> AsyncGenerator[Run, None]:
        """Yield every run, newest first."""
        return iterate_pages(lambda cursor: self.list_runs(dataset_id=dataset_id, cursor=cursor, limit=page_size))

    async def get_run(self, run_id: str) -> Run:
        """Return one run; once it has ended, with its summary or error."""
        return await self._caller.fetch(Call("GET", _run_path(run_id)), Run)

    async def cancel_run(self, run_id: str) -> Run:
        """Ask a run to stop and return it as it is then; one that has ended stays as it is."""
        return await self._caller.fetch(Call("POST", f"{_run_path(run_id)}/cancel"), Run)

    def watch_run(self, run_id: str) -> AsyncGenerator[Run, None]:
        """Yield a run as it is now and at every change until it has ended, across broken connections."""
        return watch(self._caller, f"{_run_path(run_id)}/events", Run, has_ended=lambda run: run.status in ENDED)

    async def list_quarantined(
        self, run_id: str, *, cursor: str | None = None, limit: int = DEFAULT_PAGE_SIZE
    ) -> Page[QuarantinedRow]:
        """Return a page of the rows that a run could not process."""
        call = Call("GET", f"{_run_path(run_id)}/quarantine", {"cursor": cursor, "limit": limit})
        return await self._caller.fetch(call, Page[QuarantinedRow])

    def iterate_quarantined(self, run_id: str, *, page_size: int = 500) -> AsyncGenerator[QuarantinedRow, None]:
        """Yield every row that a run could not process."""
        return iterate_pages(lambda cursor: self.list_quarantined(run_id, cursor=cursor, limit=page_size))

    async def list_dropped(
        self, run_id: str, *, cursor: str | None = None, limit: int = DEFAULT_PAGE_SIZE
    ) -> Page[DroppedRow]:
        """Return a page of the rows that filters and deduplicators removed."""
        call = Call("GET", f"{_run_path(run_id)}/dropped", {"cursor": cursor, "limit": limit})
        return await self._caller.fetch(call, Page[DroppedRow])

    def iterate_dropped(self, run_id: str, *, page_size: int = 500) -> AsyncGenerator[DroppedRow, None]:
        """Yield every row that filters and deduplicators removed."""
        return iterate_pages(lambda cursor: self.list_dropped(run_id, cursor=cursor, limit=page_size))

    async def list_samples(self, run_id: str) -> Page[ChangedRow]:
        """Return rows before and after an operator changed them, a few for each operator."""
        return await self._caller.fetch(Call("GET", f"{_run_path(run_id)}/samples"), Page[ChangedRow])


def _run_path(run_id: str) -> str:
    return f"/runtime/runs/{segment(run_id)}"
