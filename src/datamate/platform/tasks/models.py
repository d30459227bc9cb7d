"""The row of a task."""

from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, SmallInteger, String, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from datamate.contracts.main.tasks import Task, TaskStatus
from datamate.platform.db.platform_base import PlatformBase

_STATUSES = ", ".join(f"'{status.value}'" for status in TaskStatus)


class TaskRow(PlatformBase):
    """One unit of work: what to do, how far it is, and which worker may write on its behalf."""

    __tablename__ = "task"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status"),
        Index("ix_task_claim", text("priority DESC"), "id", postgresql_where=text("status = 'queued'")),
        # Without lease_until, so that a heartbeat changes no index.
        Index("ix_task_leased", "id", postgresql_where=text("status IN ('running', 'cancelling')")),
        Index("ix_task_created_by_id", "created_by", "id"),
        Index(
            "uq_task_idempotency_key",
            "kind",
            "created_by",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True, comment="UUIDv7: sorts by age.")
    kind: Mapped[str] = mapped_column(String(100), comment="Names the handler, such as runtime.run.")
    queue: Mapped[str] = mapped_column(String(50), comment="Workers choose the queues they serve.")
    priority: Mapped[int] = mapped_column(SmallInteger, comment="Higher first.")
    status: Mapped[str] = mapped_column(String(20), server_default="queued")
    payload: Mapped[dict[str, JsonValue]] = mapped_column(JSONB, comment="What the handler is given.")
    progress: Mapped[dict[str, JsonValue] | None] = mapped_column(JSONB(none_as_null=True))
    result: Mapped[dict[str, JsonValue] | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[dict[str, JsonValue] | None] = mapped_column(
        JSONB(none_as_null=True), comment="Why the last attempt failed."
    )
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0", comment="Claims so far.")
    max_attempts: Mapped[int] = mapped_column(SmallInteger)
    fence: Mapped[int] = mapped_column(
        BigInteger, server_default="0", comment="Goes up at every claim; a write with an older number is refused."
    )
    lease_owner: Mapped[str | None] = mapped_column(String(200), comment="The worker that runs it.")
    lease_until: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="When any worker may take it over."
    )
    available_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="Not claimed before; retries wait here."
    )
    idempotency_key: Mapped[str | None] = mapped_column(String(200), comment="One task per kind, creator and key.")
    created_by: Mapped[str] = mapped_column(String(50), comment="Id of the user it works for.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(BigInteger, server_default="1", comment="Grows with every visible change.")


def as_task(row: TaskRow) -> Task:
    """Return the wire form of a row."""
    return Task.model_validate({name: getattr(row, name) for name in Task.model_fields})
