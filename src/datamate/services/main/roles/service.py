"""What roles exist and what they permit."""

from datamate.contracts.main.permissions import Permission
from datamate.contracts.main.users import Role
from datamate.contracts.paging import Page
from datamate.core.errors import FieldError
from datamate.platform.db import Session
from datamate.services.main.roles import repository
from datamate.services.main.roles.errors import UnknownRoleError


async def list_roles(session: Session) -> Page[Role]:
    """Return every role; there are few, so they come on one page."""
    roles = [Role(name=name, permissions=granted) for name, granted in await repository.list_roles(session)]
    return Page[Role](items=roles, total=len(roles))


def list_permissions() -> Page[str]:
    """Return every permission that a role may grant."""
    permissions = sorted(permission.value for permission in Permission)
    return Page[str](items=permissions, total=len(permissions))


async def require_role(session: Session, role: str) -> None:
    """Refuse the name of a role that does not exist.

    Raises:
        UnknownRoleError: There is no such role; the message lists those there are.
    """
    known = await repository.list_role_names(session)
    if role not in known:
        fault = FieldError("role", f"there is no role {role}; the roles are {', '.join(known)}")
        raise UnknownRoleError(f"There is no role {role}.", errors=[fault])
