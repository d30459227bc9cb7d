"""The row of a finished partition of a run, with which a killed run goes on where it stopped."""

from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import BigInteger, DateTime, Integer, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from datamate.platform.db.platform_base import PlatformBase


class CheckpointRow(PlatformBase):
    """One partition is done; written in `ctx.transaction()`, so that only the holder of the lease can."""

    __tablename__ = "checkpoint"

    run_id: Mapped[str] = mapped_column(String(50), primary_key=True)
    stage: Mapped[str] = mapped_column(String(50), primary_key=True, comment="What was done: stage0, duplicates0.")
    partition: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(200), comment="What the results depend on; rows of another key are void.")
    attempt: Mapped[int] = mapped_column(Integer, comment="Attempt of the engine that succeeded.")
    fence: Mapped[int] = mapped_column(BigInteger, comment="Claim of the task that wrote it.")
    payload: Mapped[dict[str, JsonValue]] = mapped_column(JSONB, comment="Output files and counters.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
