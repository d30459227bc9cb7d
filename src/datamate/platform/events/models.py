"""Rows about the delivery of events; the events themselves are in the outbox."""

from datetime import datetime

from sqlalchemy import DateTime, Index, Integer, String, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from datamate.platform.db.platform_base import PlatformBase


class InboxRow(PlatformBase):
    """A subscriber has handled an event; written in the transaction of the effect."""

    __tablename__ = "inbox"

    subscriber: Mapped[str] = mapped_column(String(200), primary_key=True, comment="service.function.")
    event_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    handled_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class SubscriptionRow(PlatformBase):
    """A subscriber exists; tells which events must be sent again after Redis lost them."""

    __tablename__ = "subscription"

    topic: Mapped[str] = mapped_column(String(100), primary_key=True)
    subscriber: Mapped[str] = mapped_column(String(200), primary_key=True, comment="service.function.")
    seen_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When a process last had it."
    )


class DeadLetterRow(PlatformBase):
    """A message that no attempt could handle, kept for people to look at."""

    __tablename__ = "dead_letter"
    __table_args__ = (
        Index("uq_dead_letter_message", "subscriber", "topic", "message_id", unique=True),
        Index("ix_dead_letter_event_id", "event_id"),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    subscriber: Mapped[str] = mapped_column(String(200), comment="service.function, or the service alone.")
    topic: Mapped[str] = mapped_column(String(100))
    message_id: Mapped[str] = mapped_column(String(50), comment="Its id in the Redis stream.")
    event_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), comment="Null when it cannot be read.")
    fields: Mapped[dict[str, str]] = mapped_column(JSONB, comment="The message as it was.")
    error: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    redriven_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
