"""Rows of tags and of the datasets that carry them."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from datamate.services.data_management.models import SCHEMA, Base


class TagRow(Base):
    """One tag."""

    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(String(100, collation="C"), primary_key=True)
    color: Mapped[str] = mapped_column(String(7), comment="#rrggbb")
    dataset_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), comment="Kept as a running total.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class DatasetTagRow(Base):
    """A dataset carries a tag."""

    __tablename__ = "dataset_tags"
    __table_args__ = (Index("ix_dataset_tags_tag", "tag", "dataset_key"),)

    dataset_key: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(f"{SCHEMA}.datasets.key", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(String(100, collation="C"), ForeignKey(f"{SCHEMA}.tags.name"), primary_key=True)
