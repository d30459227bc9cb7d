"""HTTP routes of tags."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from datamate.contracts.data_management.tags import PutTagRequest, Tag
from datamate.contracts.main.permissions import Permission
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from datamate.platform.db import ReadSession, WriteSession
from datamate.platform.security import require_permission
from datamate.services.data_management.tags import service

router = APIRouter(prefix="/data-management/tags", tags=["tags"])


@router.get("", dependencies=[require_permission(Permission.TAG_READ)])
async def list_tags(
    session: ReadSession,
    cursor: Annotated[str | None, Query(max_length=1_000, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Most items on the page.")] = DEFAULT_PAGE_SIZE,
) -> Page[Tag]:
    """List the tags by name."""
    return await service.list_tags(session, cursor=cursor, limit=limit)


@router.put("", dependencies=[require_permission(Permission.TAG_WRITE)])
async def put_tag(session: WriteSession, body: PutTagRequest) -> Tag:
    """Make a tag, or change its colour."""
    return await service.put_tag(session, body)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT, dependencies=[require_permission(Permission.TAG_WRITE)])
async def delete_tag(session: WriteSession, name: Annotated[str, Query(max_length=100)]) -> None:
    """Remove a tag that no dataset carries."""
    await service.delete_tag(session, name)
