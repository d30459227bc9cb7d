"""HTTP routes of datasets."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, status

from datamate.contracts.data_management.datasets import (
    CreateDatasetRequest,
    Dataset,
    DatasetType,
    UpdateDatasetRequest,
)
from datamate.contracts.main.permissions import Permission
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE
from datamate.platform.db import ReadSession, WriteSession
from datamate.platform.security import CurrentPrincipal, require_permission
from datamate.services.data_management.datasets import service
from datamate.services.data_management.datasets.filter import DatasetFilter
from datamate.services.data_management.deps import Cursor, DatasetId, Limit, Resources

router = APIRouter(prefix="/data-management/datasets", tags=["datasets"])


async def _filter(
    tag: Annotated[str | None, Query(max_length=100, description="Only datasets that carry this tag.")] = None,
    dataset_type: Annotated[DatasetType | None, Query(alias="type", description="Only datasets of this type.")] = None,
    created_by: Annotated[str | None, Query(max_length=50, description="Only datasets of this user.")] = None,
) -> DatasetFilter:
    return DatasetFilter(tag=tag, type=dataset_type, created_by=created_by)


@router.get("", dependencies=[require_permission(Permission.DATASET_READ)])
async def list_datasets(
    session: ReadSession,
    wanted: Annotated[DatasetFilter, Depends(_filter)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
) -> Page[Dataset]:
    """List the datasets, newest first."""
    return await service.list_datasets(session, wanted, cursor=cursor, limit=limit)


@router.post("", status_code=status.HTTP_201_CREATED, dependencies=[require_permission(Permission.DATASET_WRITE)])
async def create_dataset(session: WriteSession, principal: CurrentPrincipal, body: CreateDatasetRequest) -> Dataset:
    """Make an empty dataset."""
    return await service.create_dataset(session, body, created_by=principal.user_id)


@router.get("/{dataset_id}", dependencies=[require_permission(Permission.DATASET_READ)])
async def get_dataset(session: ReadSession, resources: Resources, dataset_id: DatasetId) -> Dataset:
    """Return a dataset with its totals at the newest version."""
    return await service.get_dataset(session, dataset_id, cache=resources.cache)


@router.patch("/{dataset_id}", dependencies=[require_permission(Permission.DATASET_WRITE)])
async def update_dataset(
    session: WriteSession, resources: Resources, dataset_id: DatasetId, body: UpdateDatasetRequest
) -> Dataset:
    """Change the name, the description or the tags of a dataset."""
    return await service.update_dataset(session, dataset_id, body, cache=resources.cache)


@router.delete(
    "/{dataset_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[require_permission(Permission.DATASET_WRITE)],
)
async def delete_dataset(
    session: WriteSession, resources: Resources, principal: CurrentPrincipal, dataset_id: DatasetId
) -> None:
    """Delete a dataset; only its owner and administrators may."""
    await service.delete_dataset(session, dataset_id, principal, cache=resources.cache)
