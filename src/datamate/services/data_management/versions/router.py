"""HTTP routes of versions."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from datamate.contracts.data_management.files import ManifestFile, PublishVersionRequest
from datamate.contracts.data_management.versions import DatasetVersion, FileChange
from datamate.contracts.main.permissions import Permission
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE
from datamate.platform.db import ReadSession
from datamate.platform.security import CurrentPrincipal, require_permission
from datamate.services.data_management.deps import (
    Cursor,
    DatasetId,
    Limit,
    Resources,
    VersionNumber,
    internal_callers_only,
)
from datamate.services.data_management.versions import service
from datamate.services.data_management.versions.publish import publish

router = APIRouter(prefix="/data-management/datasets/{dataset_id}/versions", tags=["versions"])


@router.get("", dependencies=[require_permission(Permission.DATASET_READ)])
async def list_versions(
    session: ReadSession, dataset_id: DatasetId, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE_SIZE
) -> Page[DatasetVersion]:
    """List the versions of a dataset, newest first."""
    return await service.list_versions(session, dataset_id, cursor=cursor, limit=limit)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    dependencies=[require_permission(Permission.DATASET_WRITE), internal_callers_only],
    responses={200: {"description": "The run had made this version before.", "model": DatasetVersion}},
)
async def publish_version(
    resources: Resources,
    principal: CurrentPrincipal,
    response: Response,
    dataset_id: DatasetId,
    body: PublishVersionRequest,
) -> DatasetVersion:
    """Make a version of what a run staged; repeating it returns the first result. Not for clients."""
    version, is_new = await publish(resources, dataset_id, body, created_by=principal.user_id)
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return version


@router.get("/{version}", dependencies=[require_permission(Permission.DATASET_READ)])
async def get_version(resources: Resources, dataset_id: DatasetId, version: VersionNumber) -> DatasetVersion:
    """Return a version; for one of more than 20,000 files the first request computes its hash."""
    return await service.get_version(resources.database, dataset_id, version)


@router.get("/{version}/diff", dependencies=[require_permission(Permission.DATASET_READ)])
async def diff_versions(  # noqa: PLR0913 - two versions and a page
    session: ReadSession,
    dataset_id: DatasetId,
    version: VersionNumber,
    *,
    base: Annotated[
        int | None, Query(ge=0, le=2**62, description="Older version; 0 is empty. Left out: the one before.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
) -> Page[FileChange]:
    """List the paths that differ between two versions."""
    return await service.diff(session, dataset_id, version, base=base, cursor=cursor, limit=limit)


@router.get(
    "/{version}/manifest",
    dependencies=[require_permission(Permission.DATASET_READ), internal_callers_only],
)
async def read_manifest(
    session: ReadSession,
    dataset_id: DatasetId,
    version: VersionNumber,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
) -> Page[ManifestFile]:
    """List the files of a version with the objects that hold their bytes. Not for clients."""
    return await service.manifest(session, dataset_id, version, cursor=cursor, limit=limit)
