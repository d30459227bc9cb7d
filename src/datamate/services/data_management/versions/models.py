"""Rows of versions, of the entries that they show, and of changes that are in no version yet."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, Uuid, func
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from datamate.services.data_management.models import SCHEMA, Base

_DATASET: Final = f"{SCHEMA}.datasets.key"
_BLOB: Final = f"{SCHEMA}.blobs.id"


class VersionRow(Base):
    """One version of a dataset."""

    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("dataset_key", "source_run_id"),)

    dataset_key: Mapped[int] = mapped_column(BigInteger, ForeignKey(_DATASET), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="1, 2, 3, …")
    hash: Mapped[bytes | None] = mapped_column(LargeBinary, comment="Identity of its content; null until computed.")
    file_count: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    added: Mapped[int] = mapped_column(BigInteger, comment="Files that it has and its predecessor has not.")
    changed: Mapped[int] = mapped_column(BigInteger)
    removed: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(50))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    source_run_id: Mapped[str | None] = mapped_column(String(50), comment="The run that made it; one version a run.")


class EntryRow(Base):
    """What a path holds in the versions v_from, …, v_to - 1.

    Written under the lock of the dataset's row alone, which is never deleted: a foreign key to it would cost every
    commit a second check per entry.
    """

    __tablename__ = "entries"
    __table_args__ = (
        Index("uq_entries_head", "dataset_key", "path", unique=True, postgresql_where=sql("v_to IS NULL")),
        # Without the path: versions repeat, so that it has a tenth of the size.
        Index("ix_entries_v_from", "dataset_key", "v_from"),
        Index("ix_entries_v_to", "dataset_key", "v_to", "path", postgresql_where=sql("v_to IS NOT NULL")),
        Index("ix_entries_file_id", "file_id", "v_from"),
    )

    dataset_key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    path: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    v_from: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="First version that shows it.")
    v_to: Mapped[int | None] = mapped_column(BigInteger, comment="First version that does not; null: the newest does.")
    blob_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(_BLOB))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(255))
    file_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), comment="Stays when content or path change.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="When the path got this content.")


class ChangeRow(Base):
    """One path of a change set: what it will hold, or that it will be gone. The commit that uses it deletes it."""

    __tablename__ = "changes"

    change_set_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    path: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    blob_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey(_BLOB), comment="Null: the path is removed.")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(255))
    file_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), comment="Id of the file, if the path is new.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
