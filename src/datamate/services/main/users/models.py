"""Rows of accounts."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, String, func, text, true
from sqlalchemy.orm import Mapped, mapped_column

from datamate.services.main.models import Base


class UserRow(Base):
    """One account."""

    __tablename__ = "users"
    __table_args__ = (
        Index("uq_users_username", text("lower(username)"), unique=True),
        Index("ix_users_administrators", "id", postgresql_where=text("role = 'ADMIN' AND enabled")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    username: Mapped[str] = mapped_column(String(50), comment="Unique whatever the case of its letters.")
    password: Mapped[str] = mapped_column(String(255), comment="Argon2id hash.")
    email: Mapped[str | None] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(20), ForeignKey("main.roles.name"), comment="Its one role.")
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="With time zone: no session setting shifts it."
    )
    enabled: Mapped[bool] = mapped_column(server_default=true(), comment="False: may not sign in, tokens are dead.")
    epoch: Mapped[int] = mapped_column(
        BigInteger, server_default=text("1"), comment="Tokens of another epoch are refused."
    )
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"), comment="Grows with every change.")
    last_login_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
