"""Rows of roles and of the permissions they grant."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from datamate.services.main.models import Base


class RoleRow(Base):
    """A named set of permissions."""

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(String(20), primary_key=True, comment="What `users.role` names.")


class RolePermissionRow(Base):
    """One permission that one role grants."""

    __tablename__ = "role_permissions"

    role: Mapped[str] = mapped_column(
        String(20), ForeignKey("main.roles.name", ondelete="CASCADE"), primary_key=True, comment="The role."
    )
    permission: Mapped[str] = mapped_column(String(50), primary_key=True, comment="`resource:action`.")
