"""Rows of running totals."""

from sqlalchemy import BigInteger, Identity, text
from sqlalchemy.orm import Mapped, mapped_column

from datamate.services.data_management.models import Base


class StatisticsDeltaRow(Base):
    """What one change added to the totals; the sum over all rows is the total.

    Every change inserts a row of its own, so that commits of different datasets never wait for each other. A sweep
    folds many rows into one.
    """

    __tablename__ = "statistics_deltas"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    dataset_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    file_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    size_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
