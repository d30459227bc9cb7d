"""SQL of roles."""

from collections.abc import Sequence

from sqlalchemy import func, select

from datamate.platform.db import Session
from datamate.services.main.roles.models import RolePermissionRow, RoleRow


async def list_roles(session: Session) -> Sequence[tuple[str, list[str]]]:
    """Return every role with its permissions, both in alphabetical order."""
    granted = select(RolePermissionRow.permission).where(RolePermissionRow.role == RoleRow.name)
    permissions = func.array(granted.order_by(RolePermissionRow.permission).scalar_subquery())
    rows = await session.execute(select(RoleRow.name, permissions).order_by(RoleRow.name))
    return [(name, list(permitted)) for name, permitted in rows]


async def list_role_names(session: Session) -> Sequence[str]:
    """Return the names of all roles in alphabetical order."""
    return (await session.scalars(select(RoleRow.name).order_by(RoleRow.name))).all()
