"""Rows of uploads."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, String, Text, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from datamate.services.data_management.models import SCHEMA, Base


class UploadRow(Base):
    """One upload; the files that it received are the changes stored under its id."""

    __tablename__ = "uploads"
    __table_args__ = (Index("ix_uploads_expiry", "expires_at", postgresql_where=text("status = 'open'")),)

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(String(50), ForeignKey(f"{SCHEMA}.datasets.id"))
    status: Mapped[str] = mapped_column(String(20), server_default=text("'open'"))
    base_version: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(50))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    version: Mapped[int | None] = mapped_column(BigInteger, comment="The version that holds its files.")
