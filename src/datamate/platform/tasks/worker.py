"""A worker process: claims tasks while it has room, keeps their leases, and leaves none behind when it stops."""

import asyncio
import os
import socket
from collections.abc import Sequence
from uuid import uuid4

import structlog

from datamate.config.worker import WorkerSettings
from datamate.core.errors import ConfigurationError
from datamate.platform.background import cancel_and_wait, repeat
from datamate.platform.db.database import Database
from datamate.platform.db.listener import Listener
from datamate.platform.tasks.channels import QUEUED_CHANNEL
from datamate.platform.tasks.claims import Appetite, claim_tasks
from datamate.platform.tasks.context import Claim
from datamate.platform.tasks.execution import Execution
from datamate.platform.tasks.heartbeat import Heartbeat, Lease
from datamate.platform.tasks.kinds import DEFAULT_QUEUE, BoundTask
from datamate.platform.tasks.put_back import reclaim_expired

STOP_GRACE_SECONDS = 5.0
_LAST_SECONDS = 10.0
"""How long released handlers may clean up before the worker leaves them."""

_log = structlog.get_logger("datamate.worker")


class TaskWorker:
    """Runs the tasks of one process, several at a time on its event loop."""

    def __init__(
        self,
        database: Database,
        tasks: Sequence[BoundTask],
        settings: WorkerSettings,
        *,
        queues: Sequence[str] = (DEFAULT_QUEUE,),
        stop_grace_seconds: float = STOP_GRACE_SECONDS,
    ) -> None:
        """Describe the worker; `run` starts it.

        Args:
            database: Where tasks are.
            tasks: Handlers with their resources; see `collect_tasks`.
            settings: Concurrency, lease and polling.
            queues: Which queues to serve.
            stop_grace_seconds: How long running handlers may go on after `stop`, before their tasks are put back.

        Raises:
            ConfigurationError: Two handlers are for the same kind.
        """
        self._database = database
        self._settings = settings
        self._stop_grace_seconds = stop_grace_seconds
        self._tasks = _by_kind(tasks)
        self._appetite = Appetite(
            owner=f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}",
            queues=tuple(queues),
            kinds=tuple(self._tasks),
            lease_seconds=settings.lease_seconds,
        )
        self._heartbeat = Heartbeat(
            database.url, lease_seconds=settings.lease_seconds, interval_seconds=settings.heartbeat_seconds
        )
        self._running: dict[asyncio.Task[None], Execution] = {}
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then finish what finishes soon and put the rest back for other workers."""
        listener = Listener(self._database.url, {QUEUED_CHANNEL: lambda _: self._wake.set()})
        self._heartbeat.start()
        beside = [
            asyncio.create_task(listener.run(stop)),
            asyncio.create_task(repeat(self._reclaim, name="task reclaimer", stop=stop)),
        ]
        try:
            await repeat(self._claim, name="task worker", stop=stop, wake=self._wake)
            await self._drain()
        finally:
            await cancel_and_wait(*beside, *self._running)
            await self._heartbeat.stop()

    async def _claim(self) -> float:
        """Fill the free places and return how long to wait for more."""
        free = self._settings.concurrency - len(self._running)
        if free > 0:
            for claim in await claim_tasks(self._database, self._appetite, limit=free):
                self._start(claim)
        return self._settings.poll_seconds

    async def _reclaim(self) -> float:
        if await reclaim_expired(self._database):
            self._wake.set()
        return self._settings.poll_seconds

    def _start(self, claim: Claim) -> None:
        execution = Execution(self._database, self._tasks[claim.kind], claim)
        loop = asyncio.get_running_loop()
        self._heartbeat.add(
            Lease(
                task_id=claim.task_id,
                fence=claim.fence,
                on_cancel=lambda: loop.call_soon_threadsafe(execution.request_cancel),
                on_lost=lambda: loop.call_soon_threadsafe(execution.lose),
            )
        )
        running = asyncio.create_task(execution.run(), name=f"task {claim.task_id}")
        self._running[running] = execution
        running.add_done_callback(self._ended)

    def _ended(self, running: asyncio.Task[None]) -> None:
        execution = self._running.pop(running)
        self._heartbeat.remove(execution.claim.task_id)
        self._wake.set()
        if not running.cancelled() and running.exception() is not None:
            _log.error(
                "a task's end could not be written", task_id=execution.claim.task_id, exc_info=running.exception()
            )

    async def _drain(self) -> None:
        """Let running tasks finish for a while, then put them back."""
        if self._running:
            await asyncio.wait(list(self._running), timeout=self._stop_grace_seconds)
        for execution in self._running.values():
            execution.release()
        if self._running:
            await asyncio.wait(list(self._running), timeout=_LAST_SECONDS)
        if self._running:
            left = [execution.claim.task_id for execution in self._running.values()]
            _log.warning("handlers did not stop; other workers take over when the leases end", tasks=left)


def _by_kind(tasks: Sequence[BoundTask]) -> dict[str, BoundTask]:
    by_kind = {bound.handler.kind.name: bound for bound in tasks}
    if len(by_kind) < len(tasks):
        names = [bound.handler.kind.name for bound in tasks]
        repeated = ", ".join(sorted({name for name in names if names.count(name) > 1}))
        raise ConfigurationError(f"Two handlers are for the same kind of task: {repeated}. Keep one of them.")
    return by_kind
