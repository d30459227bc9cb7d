"""Rows of lineage."""

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from datamate.services.data_management.models import SCHEMA, Base

_DATASET: Final = f"{SCHEMA}.datasets.key"


class LineageEdgeRow(Base):
    """A run made one version from another."""

    __tablename__ = "lineage_edges"
    __table_args__ = (Index("ix_lineage_edges_source", "source_key", "source_version"),)

    target_key: Mapped[int] = mapped_column(BigInteger, ForeignKey(_DATASET), primary_key=True)
    target_version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source_key: Mapped[int] = mapped_column(BigInteger, ForeignKey(_DATASET), primary_key=True)
    source_version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    run_id: Mapped[str] = mapped_column(String(50))
