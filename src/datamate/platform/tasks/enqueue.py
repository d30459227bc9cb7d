"""Putting a task into the queue, in the transaction of whoever needs it done."""

from pydantic import JsonValue
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from datamate.contracts.main.events import TaskCreated
from datamate.core.ids import new_id
from datamate.platform.db.session import Session
from datamate.platform.tasks.channels import QUEUED_CHANNEL
from datamate.platform.tasks.errors import TaskKeyReusedError
from datamate.platform.tasks.kinds import PayloadT, ResourcesT, TaskHandler, TaskKind
from datamate.platform.tasks.models import TaskRow

_TASK = TaskRow.metadata.tables["platform.task"]
# Built once and without the ORM: building it takes longer than PostgreSQL needs to execute it.
_INSERT = (
    insert(_TASK)
    .on_conflict_do_nothing(
        index_elements=["kind", "created_by", "idempotency_key"], index_where=_TASK.c.idempotency_key.is_not(None)
    )
    # The notification rides on the insert, so that waking the workers costs no round trip.
    .returning(_TASK.c.id, func.pg_notify(QUEUED_CHANNEL, ""))
)


async def enqueue(  # noqa: PLR0913 - a task has this many sides
    session: Session,
    kind: TaskKind[PayloadT] | TaskHandler[ResourcesT, PayloadT],
    payload: PayloadT,
    *,
    created_by: str,
    idempotency_key: str | None = None,
    priority: int = 0,
) -> str:
    """Queue a task; it exists once the session commits, together with the event `task.created`.

    Args:
        session: The caller's transaction.
        kind: What to do.
        payload: The input.
        created_by: Id of the user it works for.
        idempotency_key: A second call with the same kind, creator and key returns the first task.
        priority: Higher goes first; among equals the oldest.

    Returns:
        The id of the task.

    Raises:
        TaskKeyReusedError: The key already stands for a task with another payload.
    """
    declared = kind.kind if isinstance(kind, TaskHandler) else kind
    content: dict[str, JsonValue] = payload.model_dump(mode="json")
    values = {
        "id": new_id(),
        "kind": declared.name,
        "queue": declared.queue,
        "priority": priority,
        "payload": content,
        "max_attempts": declared.max_attempts,
        "created_by": created_by,
        "idempotency_key": idempotency_key,
    }
    inserted = (await session.execute(_INSERT, values)).first()
    if inserted is None:
        return await _existing(session, declared.name, created_by, key=idempotency_key, content=content)
    task_id: str = inserted[0]
    session.publish(TaskCreated(aggregate_id=task_id, aggregate_version=1, kind=declared.name, queue=declared.queue))
    return task_id


async def _existing(
    session: Session, kind: str, created_by: str, *, key: str | None, content: dict[str, JsonValue]
) -> str:
    found = await session.execute(
        select(TaskRow.id, TaskRow.payload).where(
            TaskRow.kind == kind, TaskRow.created_by == created_by, TaskRow.idempotency_key == key
        )
    )
    task_id, stored = found.one()
    if stored != content:
        raise TaskKeyReusedError(f"The idempotency key {key!r} already stands for task {task_id} with other input.")
    return str(task_id)
