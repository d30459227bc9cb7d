"""One attempt at one task, from the claim to what is written at its end."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from pydantic import BaseModel, ValidationError

from datamate.contracts.main.tasks import TaskError, TaskProgress, TaskStatus
from datamate.core.errors import DatamateError, UnavailableError
from datamate.platform.background import cancel_and_wait
from datamate.platform.backoff import full_jitter_seconds
from datamate.platform.db.database import Database
from datamate.platform.tasks.claims import TaskEnd, end_task, store_progress
from datamate.platform.tasks.context import Claim, TaskContext
from datamate.platform.tasks.errors import InvalidPayloadError, TaskCancelledError, TaskFencedError
from datamate.platform.tasks.kinds import BoundTask
from datamate.platform.tasks.put_back import put_back

PROGRESS_SECONDS = 0.5
CANCEL_GRACE_SECONDS = 30.0
"""How long a handler may take to stop by itself after a request to cancel."""
RETRY_BASE_SECONDS = 1.0
RETRY_CAP_SECONDS = 300.0
_LONGEST_MESSAGE_CHARS = 4_000

_log = structlog.get_logger("datamate.task")


class Execution:
    """Runs the handler, stores its progress, and ends, repeats or gives up the task."""

    def __init__(self, database: Database, bound: BoundTask, claim: Claim) -> None:
        self.claim = claim
        self._database = database
        self._bound = bound
        self._context = TaskContext(database, claim, bound.resources)
        self._handler: asyncio.Task[BaseModel | None] | None = None
        self._lost = False
        self._released = False

    async def run(self) -> None:
        """Run the attempt to its end; never raises for what the handler does."""
        storing = asyncio.create_task(self._store_progress())
        try:
            end = await self._attempt()
        finally:
            await cancel_and_wait(storing)
        if self._lost:
            _log.warning("the task was taken over by another worker; this attempt wrote nothing more", **self._names)
        elif end is None:
            await self._persist(lambda: put_back(self._database, self.claim, error=None, counted=False))
        else:
            await self._settle(end)

    def request_cancel(self) -> None:
        """Tell the handler to stop, and stop it when it does not within the grace."""
        if not self._context.cancelled.is_set():
            self._context.cancelled.set()
            asyncio.get_running_loop().call_later(CANCEL_GRACE_SECONDS, self._stop_handler)

    def lose(self) -> None:
        """Stop at once, because the task is another worker's now."""
        self._lost = True
        self._stop_handler()

    def release(self) -> None:
        """Stop at once and put the task back for another worker."""
        self._released = True
        self._stop_handler()

    def _stop_handler(self) -> None:
        if self._handler is not None:
            self._handler.cancel()

    async def _attempt(self) -> TaskEnd | None:
        """Run the handler and return how the task ends, or None when it was released or lost."""
        self._handler = asyncio.ensure_future(self._handle())
        try:
            result = await self._handler
        except asyncio.CancelledError:
            return self._stopped()
        except TaskFencedError:
            self._lost = True
            return None
        except TaskCancelledError:
            return TaskEnd(TaskStatus.CANCELLED)
        except DatamateError as error:
            return _failed(error.code, error.detail, retryable=error.retryable)
        except Exception as error:  # noqa: BLE001 - a handler's mistake must end its task, not the worker
            _log.exception("a handler failed", **self._names)
            return _failed("internal", f"{type(error).__name__}: {error}")
        return TaskEnd(TaskStatus.SUCCEEDED, result)

    async def _handle(self) -> BaseModel | None:
        handler = self._bound.handler
        try:
            payload = handler.kind.payload.model_validate(self.claim.payload)
        except ValidationError as error:
            faults = "; ".join(f"{fault['loc']}: {fault['msg']}" for fault in error.errors(include_url=False))
            raise InvalidPayloadError(f"This release cannot read the task's input. {faults}") from error
        return await handler.run(self._context, payload)

    def _stopped(self) -> TaskEnd | None:
        """Return what the end of a cancelled handler means: whoever stopped it left a mark."""
        if self._lost or self._released:
            return None
        if self._context.cancelled.is_set():
            return TaskEnd(TaskStatus.CANCELLED)
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise asyncio.CancelledError
        return _failed("internal", "The handler cancelled itself.")

    async def _settle(self, end: TaskEnd) -> None:
        error = end.error
        if error is not None and error.retryable and self.claim.attempt < self.claim.max_attempts:
            delay = full_jitter_seconds(
                self.claim.attempt, base_seconds=RETRY_BASE_SECONDS, cap_seconds=RETRY_CAP_SECONDS
            )
            await self._persist(lambda: put_back(self._database, self.claim, error=error, delay_seconds=delay))
            return
        try:
            await self._persist(lambda: end_task(self._database, self.claim, end, self._context.progress))
        except DatamateError as refused:  # such as a result that PostgreSQL cannot store
            failed = _failed(refused.code, refused.detail)
            await self._persist(lambda: end_task(self._database, self.claim, failed, None))

    async def _persist(self, write: Callable[[], Awaitable[bool]]) -> None:
        """Write the end of the attempt, waiting out a database that is away."""
        failures = 0
        while True:
            try:
                stored = await write()
            except UnavailableError as error:
                failures += 1
                _log.warning("the end of a task waits for PostgreSQL", error=error.detail, **self._names)
                await asyncio.sleep(full_jitter_seconds(failures, base_seconds=0.5, cap_seconds=10.0))
                continue
            if not stored:
                _log.warning("the task was taken over by another worker before its end", **self._names)
            return

    async def _store_progress(self) -> None:
        """Store the newest report twice a second, whoever's thread it came from."""
        stored: TaskProgress | None = None
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            progress = self._context.progress
            if progress is None or progress == stored:
                continue
            try:
                await store_progress(self._database, self.claim, progress)
            except DatamateError as error:
                _log.warning("progress was not stored", error=error.detail, **self._names)
            stored = progress

    @property
    def _names(self) -> dict[str, str | int]:
        return {"task_id": self.claim.task_id, "kind": self.claim.kind, "attempt": self.claim.attempt}


def _failed(code: str, message: str, *, retryable: bool = False) -> TaskEnd:
    text = message.replace("\x00", "\\x00")[:_LONGEST_MESSAGE_CHARS]
    return TaskEnd(TaskStatus.FAILED, error=TaskError(code=code, message=text, retryable=retryable))
