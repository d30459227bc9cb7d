"""Makes, shows, changes and deletes datasets."""

from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError

from datamate.contracts.data_management.datasets import (
    CreateDatasetRequest,
    Dataset,
    DatasetStatus,
    DatasetType,
    UpdateDatasetRequest,
)
from datamate.contracts.data_management.events import DatasetChanged
from datamate.contracts.paging import Page
from datamate.core.clock import utc_now
from datamate.core.errors import FieldError
from datamate.core.ids import new_id
from datamate.core.paging import decode_cursor, encode_cursor
from datamate.platform.cache import Cache, cached
from datamate.platform.db import Session
from datamate.platform.security import Principal
from datamate.services.data_management.datasets import repository
from datamate.services.data_management.datasets.errors import (
    DatasetNameTakenError,
    DatasetNotFoundError,
    NotOwnerError,
)
from datamate.services.data_management.datasets.filter import DatasetFilter
from datamate.services.data_management.datasets.models import DatasetRow
from datamate.services.data_management.statistics.service import record_change
from datamate.services.data_management.tags.service import set_tags, tags_of

DATASETS: Final = "datasets"
"""Cache of datasets as clients see them; keyed by the dataset's id."""

_ADMIN: Final = "ADMIN"


@cached(DATASETS, key="{dataset_id}", ttl_seconds=60)
async def get_dataset(session: Session, dataset_id: str, *, cache: Cache) -> Dataset:  # noqa: ARG001 - read by @cached
    """Return a dataset.

    Raises:
        DatasetNotFoundError: There is none with this id.
    """
    row = await find_dataset(session, dataset_id)
    return _dataset(row, (await tags_of(session, [row.key]))[row.key])


async def find_dataset(session: Session, dataset_id: str) -> DatasetRow:
    """Return the row of a dataset as it is now.

    Raises:
        DatasetNotFoundError: There is none with this id.
    """
    return _found(await repository.find(session, dataset_id), dataset_id)


async def lock_dataset(session: Session, dataset_id: str) -> DatasetRow:
    """Return the row of a dataset, held until the transaction ends: whoever makes a version starts here.

    Raises:
        DatasetNotFoundError: There is none with this id.
    """
    return _found(await repository.find(session, dataset_id, lock=True), dataset_id)


async def list_datasets(session: Session, wanted: DatasetFilter, *, cursor: str | None, limit: int) -> Page[Dataset]:
    """Return one page of datasets, newest first."""
    key = decode_cursor(cursor, kinds=(str,))
    rows = await repository.list_page(session, wanted, before_id=str(key[0]) if key else None, limit=limit + 1)
    more = encode_cursor((rows[limit - 1].id,)) if len(rows) > limit else None
    tags = await tags_of(session, [row.key for row in rows[:limit]])
    return Page[Dataset](items=[_dataset(row, tags[row.key]) for row in rows[:limit]], next_cursor=more)


async def create_dataset(session: Session, request: CreateDatasetRequest, *, created_by: str) -> Dataset:
    """Make an empty dataset.

    Raises:
        DatasetNameTakenError: Another dataset has this name.
    """
    row = await repository.insert_dataset(
        session,
        dataset_id=new_id(),
        name=request.name,
        description=request.description,
        dataset_type=request.type,
        created_by=created_by,
    )
    if row is None:
        raise _name_taken(request.name)
    await set_tags(session, row.key, request.tags)
    record_change(session, dataset_count=1)
    session.publish(DatasetChanged(aggregate_id=row.id, aggregate_version=row.revision))
    return _dataset(row, sorted(set(request.tags)))


async def update_dataset(session: Session, dataset_id: str, request: UpdateDatasetRequest, *, cache: Cache) -> Dataset:
    """Change a dataset; fields left out, or null, stay as they are.

    Raises:
        DatasetNotFoundError: There is none with this id.
        DatasetNameTakenError: Another dataset has the new name.
    """
    row = await lock_dataset(session, dataset_id)
    if request.tags is not None:
        await set_tags(session, row.key, request.tags)
    if request.description is not None:
        row.description = request.description
    if request.name is not None and request.name != row.name:
        await _rename(session, row, request.name)
    await announce_change(session, row, cache=cache)
    return _dataset(row, (await tags_of(session, [row.key]))[row.key])


async def delete_dataset(session: Session, dataset_id: str, principal: Principal, *, cache: Cache) -> None:
    """Hide a dataset and free its name; its versions stay for the lineage of others.

    Raises:
        DatasetNotFoundError: There is none with this id.
        NotOwnerError: The caller neither made it nor is an administrator.
    """
    row = await lock_dataset(session, dataset_id)
    if principal.user_id != row.created_by and principal.role != _ADMIN:
        raise NotOwnerError(f"Only the owner of the dataset {row.name!r} or an administrator may delete it.")
    await set_tags(session, row.key, ())
    row.status = DatasetStatus.DELETED
    record_change(session, dataset_count=-1, file_count=-row.file_count, size_bytes=-row.size_bytes)
    await announce_change(session, row, cache=cache)


async def announce_change(session: Session, row: DatasetRow, *, cache: Cache) -> None:
    """Note that a dataset changes in this transaction, and tell whoever listens."""
    touch(row, at=utc_now())
    session.publish(DatasetChanged(aggregate_id=row.id, aggregate_version=row.revision))
    await cache.bump(session, DATASETS, row.id)


def touch(row: DatasetRow, *, at: datetime) -> None:
    """Make a change of a dataset the newest of its events."""
    row.revision += 1
    row.updated_at = at


async def _rename(session: Session, row: DatasetRow, name: str) -> None:
    try:
        async with session.begin_nested():
            row.name = name
            await session.flush()  # so that a taken name is an error here, and not one of the commit
    except IntegrityError as error:
        raise _name_taken(name) from error


def _found(row: DatasetRow | None, dataset_id: str) -> DatasetRow:
    if row is None:
        raise DatasetNotFoundError(f"There is no dataset {dataset_id}.")
    return row


def _name_taken(name: str) -> DatasetNameTakenError:
    fault = FieldError("name", f"{name} is taken; choose another one")
    return DatasetNameTakenError(f"There is a dataset {name!r} already.", errors=[fault])


def _dataset(row: DatasetRow, tags: list[str]) -> Dataset:
    return Dataset(
        id=row.id,
        name=row.name,
        description=row.description,
        type=DatasetType(row.type),
        status=DatasetStatus(row.status),
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        file_count=row.file_count,
        size_bytes=row.size_bytes,
        tags=tags,
    )
