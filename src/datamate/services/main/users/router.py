"""HTTP routes of accounts."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, status

from datamate.contracts.main.permissions import Permission
from datamate.contracts.main.users import CreateUserRequest, UpdateUserRequest, User
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from datamate.platform.db import ReadSession, WriteSession
from datamate.platform.security import CurrentPrincipal, require_permission
from datamate.services.main.deps import Resources
from datamate.services.main.users import service

router = APIRouter(prefix="/users", tags=["users"])

UserId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the user.")]


@router.get("", dependencies=[require_permission(Permission.USER_READ)])
async def list_users(
    session: ReadSession,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Most items on the page.")] = DEFAULT_PAGE_SIZE,
) -> Page[User]:
    """List the users in the order of their making."""
    return await service.list_users(session, cursor=cursor, limit=limit)


@router.post("", status_code=status.HTTP_201_CREATED, dependencies=[require_permission(Permission.USER_WRITE)])
async def create_user(session: WriteSession, resources: Resources, body: CreateUserRequest) -> User:
    """Add a user."""
    return await service.create_user(session, body, passwords=resources.passwords, cache=resources.cache)


@router.get("/me", dependencies=[require_permission(Permission.PROFILE_READ)])
async def get_me(session: ReadSession, principal: CurrentPrincipal) -> User:
    """Return one's own account."""
    return await service.get_user(session, int(principal.user_id))


@router.get("/{user_id}", dependencies=[require_permission(Permission.USER_READ)])
async def get_user(session: ReadSession, user_id: UserId) -> User:
    """Return a user."""
    return await service.get_user(session, user_id)


@router.patch("/{user_id}", dependencies=[require_permission(Permission.USER_WRITE)])
async def update_user(session: WriteSession, resources: Resources, user_id: UserId, body: UpdateUserRequest) -> User:
    """Change a user; a new role, password or admission takes effect at once and ends the user's sessions."""
    return await service.update_user(session, user_id, body, passwords=resources.passwords, cache=resources.cache)
