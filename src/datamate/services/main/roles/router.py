"""HTTP routes of roles and permissions."""

from fastapi import APIRouter

from datamate.contracts.main.permissions import Permission
from datamate.contracts.main.users import Role
from datamate.contracts.paging import Page
from datamate.platform.db import ReadSession
from datamate.platform.security import require_permission
from datamate.services.main.roles import service

router = APIRouter(tags=["roles"])


@router.get("/roles", dependencies=[require_permission(Permission.ROLE_READ)])
async def list_roles(session: ReadSession) -> Page[Role]:
    """List the roles with what each one permits."""
    return await service.list_roles(session)


@router.get("/permissions", dependencies=[require_permission(Permission.ROLE_READ)])
async def list_permissions() -> Page[str]:
    """List every permission that a role may grant."""
    return service.list_permissions()
