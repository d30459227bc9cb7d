"""SQL of principals."""

from sqlalchemy import func, select

from datamate.contracts.main.users import PrincipalRecord
from datamate.platform.db import Session
from datamate.services.main.roles.models import RolePermissionRow
from datamate.services.main.users.models import UserRow


async def find_principal(session: Session, user_id: int) -> PrincipalRecord | None:
    """Return a user together with what its role permits, or None if there is no such user."""
    granted = select(RolePermissionRow.permission).where(RolePermissionRow.role == UserRow.role)
    query = select(
        UserRow.id,
        UserRow.username,
        UserRow.role,
        func.array(granted.order_by(RolePermissionRow.permission).scalar_subquery()),
        UserRow.enabled,
        UserRow.epoch,
    ).where(UserRow.id == user_id)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    identifier, username, role, permissions, enabled, epoch = row
    return PrincipalRecord(
        user_id=identifier, username=username, role=role, permissions=permissions, enabled=enabled, epoch=epoch
    )
