"""The hot statements of a worker: claiming, progress, the end. One round trip each, and each checks the fence."""

from dataclasses import dataclass

from pydantic import BaseModel

from datamate.contracts.main.events import TaskCompleted
from datamate.contracts.main.tasks import TaskError, TaskProgress, TaskStatus
from datamate.core.ids import new_id
from datamate.platform.db.database import Database
from datamate.platform.tasks.context import Claim

# A CTE is evaluated once; as a plain subquery the planner may run it again and lock more rows than the limit.
_CLAIM = """
WITH picked AS MATERIALIZED (
  SELECT id FROM platform.task
  WHERE status = 'queued' AND available_at <= now() AND queue = ANY($1) AND kind = ANY($2)
  ORDER BY priority DESC, id
  LIMIT $3
  FOR UPDATE SKIP LOCKED
)
UPDATE platform.task SET
  status = 'running', attempt = attempt + 1, fence = fence + 1, version = version + 1,
  lease_owner = $4, lease_until = now() + make_interval(secs => $5), started_at = coalesce(started_at, now())
FROM picked WHERE task.id = picked.id
RETURNING task.id::text AS task_id, kind, payload, attempt, max_attempts, fence, created_by
"""
_PROGRESS = """
UPDATE platform.task SET progress = $3, version = version + 1
WHERE id = $1 AND fence = $2 AND status IN ('running', 'cancelling')
"""
# The event is the caller's, but for the two fields that only the row knows.
_END = """
WITH ended AS (
  UPDATE platform.task SET
    status = CASE WHEN status = 'cancelling' AND $3 = 'failed' THEN 'cancelled' ELSE $3 END,
    result = $4, error = $5, progress = coalesce($6, progress),
    lease_owner = NULL, lease_until = NULL, finished_at = now(), version = version + 1
  WHERE id = $1 AND fence = $2 AND status IN ('running', 'cancelling')
  RETURNING id, status, version
)
INSERT INTO platform.outbox (id, topic, version, aggregate_id, aggregate_version, payload)
SELECT $7, $8, $9, ended.id, ended.version,
  $10::jsonb || jsonb_build_object('status', ended.status, 'aggregate_version', ended.version)
FROM ended
"""


@dataclass(frozen=True, slots=True)
class Appetite:
    """What a worker takes.

    Attributes:
        owner: Name of the worker.
        queues: Queues that it serves.
        kinds: Kinds that it has handlers for.
        lease_seconds: How long it may be silent.
    """

    owner: str
    queues: tuple[str, ...]
    kinds: tuple[str, ...]
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """How a task ends.

    Attributes:
        status: Succeeded, failed or cancelled.
        result: What a success returned.
        error: Why a failure failed.
    """

    status: TaskStatus
    result: BaseModel | None = None
    error: TaskError | None = None


async def claim_tasks(database: Database, appetite: Appetite, *, limit: int) -> list[Claim]:
    """Take up to `limit` waiting tasks, highest priority first, then oldest; nobody else gets the same ones."""
    async with database.driver() as connection:
        rows = await connection.fetch(
            _CLAIM, appetite.queues, appetite.kinds, limit, appetite.owner, appetite.lease_seconds
        )
    return [Claim(**row) for row in rows]


async def store_progress(database: Database, claim: Claim, progress: TaskProgress) -> None:
    """Store how far a task is, unless another worker has it now."""
    async with database.driver() as connection:
        await connection.execute(_PROGRESS, claim.task_id, claim.fence, progress.model_dump_json())


async def end_task(database: Database, claim: Claim, end: TaskEnd, progress: TaskProgress | None) -> bool:
    """End a task and publish it; a failure after a request to cancel ends as cancelled.

    Returns:
        False when another worker has the task now, and nothing was written.
    """
    event = TaskCompleted(aggregate_id=claim.task_id, aggregate_version=0, kind=claim.kind, status=end.status)
    async with database.driver() as connection:
        written = await connection.execute(
            _END,
            claim.task_id,
            claim.fence,
            end.status,
            _json(end.result),
            _json(end.error),
            _json(progress),
            new_id(),
            event.topic,
            event.schema_version,
            event.model_dump_json(),
        )
    return written == "INSERT 0 1"


def _json(model: BaseModel | None) -> str | None:
    return None if model is None else model.model_dump_json()
