"""Rows of blobs."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Identity, LargeBinary, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from datamate.services.data_management.models import Base


class BlobRow(Base):
    """Some content and where its bytes are."""

    __tablename__ = "blobs"
    __table_args__ = (UniqueConstraint("hash"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, comment="BLAKE3, 32 bytes.")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    object_key: Mapped[str] = mapped_column(String(200), comment="blobs/<hash>/<uuid> in the object store.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
