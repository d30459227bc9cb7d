"""The outbox: events stored in the transaction that caused them, until a relay has put them on Redis."""

from datetime import datetime
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import BigInteger, DateTime, Index, SmallInteger, String, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from datamate.contracts.events import Event
from datamate.core.ids import new_id
from datamate.platform.db.platform_base import PlatformBase

OUTBOX_CHANNEL = "datamate_outbox"
"""Notified by a trigger whenever rows were added."""


class OutboxRow(PlatformBase):
    """One event; inserting it notifies the relays (a trigger, so that no writer can forget)."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_unpublished", "id", postgresql_where=text("published_at IS NULL")),)

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True, comment="Consumers dedupe by it.")
    topic: Mapped[str] = mapped_column(String(100), comment="Name of the Redis stream.")
    version: Mapped[int] = mapped_column(SmallInteger, comment="Version of the event's fields.")
    aggregate_id: Mapped[str] = mapped_column(String(100), comment="What it happened to.")
    aggregate_version: Mapped[int] = mapped_column(BigInteger, comment="Handlers ignore what is older.")
    payload: Mapped[dict[str, JsonValue]] = mapped_column(JSONB, comment="The event's fields.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), comment="Null until on Redis.")


def outbox_row(event: Event) -> OutboxRow:
    """Return the row that carries this event."""
    payload: dict[str, JsonValue] = event.model_dump(mode="json")
    return OutboxRow(
        id=new_id(),
        topic=event.topic,
        version=event.schema_version,
        aggregate_id=event.aggregate_id,
        aggregate_version=event.aggregate_version,
        payload=payload,
    )


def first_id_at(unix_seconds: float) -> str:
    """Return the least id that an event made at this time can have; ids are UUIDv7 and so sort by age."""
    return str(UUID(int=int(unix_seconds * 1000) << 80))
