"""Keeps the leases of a worker alive from a thread of its own, so that a busy event loop loses none."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from datamate.contracts.main.tasks import TaskStatus
from datamate.core.errors import UnavailableError
from datamate.platform.background import pause, repeat
from datamate.platform.db.database import connect
from datamate.platform.db.errors import CONNECT_FAILURES
from datamate.platform.tasks.channels import CANCEL_CHANNEL

LOOK_SECONDS = 1.0
"""Longest time until a request to cancel is seen when its notification was lost."""

# Rows that a transaction of the task itself has locked are passed over: they cannot be reclaimed meanwhile either.
_RENEW = """
UPDATE platform.task SET lease_until = now() + make_interval(secs => $3)
WHERE id IN (
  SELECT task.id FROM platform.task
  JOIN unnest($1::uuid[], $2::bigint[]) AS held (id, fence) ON held.id = task.id AND held.fence = task.fence
  WHERE task.status IN ('running', 'cancelling')
  FOR UPDATE OF task SKIP LOCKED
)
"""
_LOOK = """
SELECT task.id::text, task.status FROM platform.task
JOIN unnest($1::uuid[], $2::bigint[]) AS held (id, fence) ON held.id = task.id AND held.fence = task.fence
WHERE task.status IN ('running', 'cancelling')
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """A task that this worker holds.

    Attributes:
        task_id: Id of the task.
        fence: Number of the claim.
        on_cancel: Called in the heartbeat's thread when someone asks to cancel, perhaps more than once.
        on_lost: Called in the heartbeat's thread when another worker has taken the task over.
    """

    task_id: str
    fence: int
    on_cancel: Callable[[], object]
    on_lost: Callable[[], object]


class Heartbeat:
    """The thread, its connection, and the leases that it renews."""

    def __init__(self, url: str, *, lease_seconds: float, interval_seconds: float) -> None:
        """Describe the heartbeat; `start` starts its thread.

        Args:
            url: The address of PostgreSQL.
            lease_seconds: How far ahead each renewal reaches.
            interval_seconds: How often to renew.
        """
        self._url = url
        self._lease_seconds = lease_seconds
        self._interval_seconds = interval_seconds
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()
        self._renewed_at = 0.0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()
        self._ready.wait()

    async def stop(self) -> None:
        """End the thread; leases run out by themselves."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        await asyncio.to_thread(self._thread.join)

    def add(self, lease: Lease) -> None:
        """Keep a lease alive from now on."""
        with self._lock:
            self._leases[lease.task_id] = lease

    def remove(self, task_id: str) -> None:
        """Let a lease go."""
        with self._lock:
            self._leases.pop(task_id, None)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._ready.set()
        await repeat(self._beat_while_connected, name="heartbeat", stop=self._stopping)

    async def _beat_while_connected(self) -> float:
        connection = await connect(self._url, application_name="datamate heartbeat")
        wake = asyncio.Event()
        try:
            await connection.add_listener(CANCEL_CHANNEL, lambda *_: wake.set())
            while not self._stopping.is_set():
                wake.clear()
                await self._beat(connection)
                await pause(min(LOOK_SECONDS, self._interval_seconds), self._stopping, wake)
        except CONNECT_FAILURES as error:
            raise UnavailableError(f"The heartbeat's connection broke ({error}).") from error
        finally:
            connection.terminate()
        return 0.0

    async def _beat(self, connection: asyncpg.Connection) -> None:
        with self._lock:
            leases = list(self._leases.values())
        if not leases:
            return
        ids, fences = [lease.task_id for lease in leases], [lease.fence for lease in leases]
        if time.monotonic() - self._renewed_at >= self._interval_seconds:
            await connection.execute(_RENEW, ids, fences, self._lease_seconds)
            self._renewed_at = time.monotonic()
        statuses = {row["id"]: row["status"] for row in await connection.fetch(_LOOK, ids, fences)}
        for lease in leases:
            status = statuses.get(lease.task_id)
            if status is None:
                self.remove(lease.task_id)
                lease.on_lost()
            elif status == TaskStatus.CANCELLING:
                lease.on_cancel()
