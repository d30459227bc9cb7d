"""Rows of datasets."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Identity, Index, String, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from datamate.services.data_management.models import Base


class DatasetRow(Base):
    """One dataset and its totals at the newest version."""

    __tablename__ = "datasets"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("uq_datasets_name", "name", unique=True, postgresql_where=text("status <> 'deleted'")),
        Index("ix_datasets_active", "id", postgresql_where=text("status = 'active'")),
    )

    id: Mapped[str] = mapped_column(String(50), primary_key=True, comment="UUIDv7.")
    name: Mapped[str] = mapped_column(String(100), comment="Unique among datasets that are not deleted.")
    description: Mapped[str] = mapped_column(Text, server_default=text("''"))
    type: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), server_default=text("'active'"), comment="active or deleted")
    created_by: Mapped[str] = mapped_column(String(50), comment="Id of the user who made it.")
    key: Mapped[int] = mapped_column(
        BigInteger, Identity(always=True), comment="Short key for the millions of entries."
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), comment="Newest version; 0 before any.")
    file_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), comment="Kept as a running total.")
    size_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), comment="Kept as a running total.")
    revision: Mapped[int] = mapped_column(
        BigInteger, server_default=text("1"), comment="Grows with every change; orders its events."
    )
