"""Rows of runs."""

from datetime import datetime
from typing import Literal

from pydantic import JsonValue
from sqlalchemy import BigInteger, DateTime, Index, String, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from datamate.services.runtime.models import Base


class RunRow(Base):
    """One run. Its status, progress and error are those of its task and stand only there."""

    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_created_by_id", "created_by", "id"),
        Index("ix_run_dataset_id_id", "dataset_id", "id"),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True, comment="UUIDv7: sorts by age.")
    task_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), unique=True, comment="Id in platform.task.")
    recipe: Mapped[str] = mapped_column(Text, comment="The recipe as YAML, as it was given.")
    dataset_id: Mapped[str] = mapped_column(String(50), comment="Dataset that is read.")
    version: Mapped[int] = mapped_column(BigInteger, comment="Version that is read; fixed when the run is made.")
    output_dataset_id: Mapped[str] = mapped_column(String(50), comment="Dataset that the result goes to.")
    output_format: Mapped[Literal["jsonl", "parquet"]] = mapped_column(String(20), comment="jsonl or parquet.")
    output_version: Mapped[int | None] = mapped_column(BigInteger, comment="Version made; null until then.")
    created_by: Mapped[str] = mapped_column(String(50), comment="Id of the user it works for.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    plan: Mapped[dict[str, JsonValue] | None] = mapped_column(JSONB(none_as_null=True), comment="Stages, partitions.")
    summary: Mapped[dict[str, JsonValue] | None] = mapped_column(
        JSONB(none_as_null=True), comment="The account: rows in, kept, dropped, quarantined."
    )
