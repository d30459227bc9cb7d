"""Lists files and changes them; every change is a version."""

import unicodedata
from collections.abc import Sequence

from sqlalchemy import RowMapping

from datamate.contracts.data_management.files import (
    DeleteFilesRequest,
    File,
    RenameFileRequest,
    UploadedFile,
    UploadedFiles,
)
from datamate.contracts.data_management.versions import DatasetVersion
from datamate.contracts.paging import Page
from datamate.core.errors import ConflictError, FieldError
from datamate.core.paging import decode_cursor, encode_cursor
from datamate.platform.cache import Cache
from datamate.platform.db import Session
from datamate.services.data_management.blobs.service import register
from datamate.services.data_management.datasets.models import DatasetRow
from datamate.services.data_management.datasets.service import find_dataset, lock_dataset
from datamate.services.data_management.deps import DataManagementResources
from datamate.services.data_management.files import repository
from datamate.services.data_management.files.errors import FileNotInVersionError
from datamate.services.data_management.files.incoming import Incoming, IncomingFiles
from datamate.services.data_management.versions.changes import Change, ChangeSet
from datamate.services.data_management.versions.commit import commit_changes
from datamate.services.data_management.versions.errors import InvalidPathError
from datamate.services.data_management.versions.media_types import media_type_of
from datamate.services.data_management.versions.paths import normal_path
from datamate.services.data_management.versions.service import require_version, wire_version


async def list_files(  # noqa: PLR0913 - a version, a folder and a page
    session: Session, dataset_id: str, *, version: int | None, prefix: str, cursor: str | None, limit: int
) -> Page[File]:
    """Return one page of the files of a version, by path.

    Args:
        session: Any session.
        dataset_id: Which dataset.
        version: Which version; None means the newest.
        prefix: Only paths that begin so; "" for all.
        cursor: Where to go on.
        limit: Most items on the page.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        VersionNotFoundError: It has no such version.
    """
    dataset = await find_dataset(session, dataset_id)
    total = dataset.file_count if version is None else (await require_version(session, dataset, version)).file_count
    key = decode_cursor(cursor, kinds=(str,))
    rows = await repository.list_page(
        session,
        dataset.key,
        _as_stored(dataset, version),
        after=str(key[0]) if key else "",
        prefix=unicodedata.normalize("NFC", prefix),
        limit=limit + 1,
    )
    more = encode_cursor((rows[limit - 1]["path"],)) if len(rows) > limit else None
    return Page[File](items=[_file(row) for row in rows[:limit]], next_cursor=more, total=None if prefix else total)


async def get_file(session: Session, dataset_id: str, file_id: str, *, version: int | None) -> File:
    """Return a file of a version; None means the newest.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        VersionNotFoundError: It has no such version.
        FileNotInVersionError: The version has no such file.
    """
    return _file(await find_file(session, dataset_id, file_id, version=version))


async def find_file(session: Session, dataset_id: str, file_id: str, *, version: int | None) -> RowMapping:
    """Return the row of a file of a version; otherwise as `get_file`."""
    dataset = await find_dataset(session, dataset_id)
    if version is not None:
        await require_version(session, dataset, version)
    return await _require_file(session, dataset, file_id, version)


async def put_file(
    resources: DataManagementResources,
    dataset_id: str,
    incoming: IncomingFiles,
    change_set: ChangeSet,
) -> UploadedFile:
    """Make a version of one file; otherwise as `put_files`."""
    uploaded = await put_files(resources, dataset_id, incoming, change_set)
    return UploadedFile(file=uploaded.files[0], version=uploaded.version)


async def put_files(
    resources: DataManagementResources,
    dataset_id: str,
    incoming: IncomingFiles,
    change_set: ChangeSet,
) -> UploadedFiles:
    """Make one version of files that arrive.

    The database is not held up while they do: the transaction begins when the last one is there.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        InvalidPathError: A path is not valid, or stands there twice.
        PathConflictError: A path changed after the base version.
        PathClashError: A path would be a file and a folder at once.
        TooLargeError, SizeMismatchError, ChecksumMismatchError, StorageFullError: As `blobs.take`.
    """
    async with resources.database.reader() as session:
        await find_dataset(session, dataset_id)
    files: dict[str, Incoming] = {}
    async for batch in incoming:
        for file in batch:
            if file.path in files:
                fault = FieldError("path", f"{file.path} stands there twice")
                raise InvalidPathError(f"Two files are named {file.path!r}.", errors=[fault])
            files[file.path] = file
    async with resources.database.transaction() as session:
        dataset = await lock_dataset(session, dataset_id)
        blobs = await register(session, resources.store, [file.placed for file in files.values()])
        changes = [file.change(blobs[file.placed.content.hash]) for file in files.values()]
        version = await commit_changes(session, dataset, change_set, changes, cache=resources.cache)
        rows = await repository.find_by_paths(session, dataset.key, files)
    return UploadedFiles(files=[_file(rows[path]) for path in files], version=wire_version(dataset, version))


async def rename_file(  # noqa: PLR0913 - what a rename consists of
    session: Session, dataset_id: str, file_id: str, request: RenameFileRequest, *, created_by: str, cache: Cache
) -> UploadedFile:
    """Give a file another path in a new version; its id and its content stay.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        FileNotInVersionError: The newest version has no such file.
        InvalidPathError: The new path is not valid.
        ConflictError: There is a file at the new path, or one of the two changed after the base version.
    """
    path = normal_path(request.path)
    dataset = await lock_dataset(session, dataset_id)
    old = await _require_file(session, dataset, file_id, None)
    if path != old["path"] and await repository.find_by_paths(session, dataset.key, [path]):
        raise ConflictError(f"There is a file {path!r} already.", errors=[FieldError("path", "is taken")])
    media_type = media_type_of(path, claimed=old["media_type"])
    moved = Change(path, old["blob_id"], size_bytes=old["size_bytes"], media_type=media_type, file_id=file_id)
    removed = [] if path == old["path"] else [Change(old["path"], None)]
    change_set = ChangeSet(
        created_by=created_by, message=f"Rename {old['path']} to {path}", base_version=request.base_version
    )
    version = await commit_changes(session, dataset, change_set, [*removed, moved], cache=cache)
    row = await _require_file(session, dataset, file_id, None)
    return UploadedFile(file=_file(row), version=wire_version(dataset, version))


async def delete_file(
    session: Session, dataset_id: str, file_id: str, *, created_by: str, cache: Cache
) -> DatasetVersion:
    """Remove a file in a new version; older versions keep it.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        FileNotInVersionError: The newest version has no such file.
    """
    dataset = await lock_dataset(session, dataset_id)
    row = await _require_file(session, dataset, file_id, None)
    change_set = ChangeSet(created_by=created_by, message=f"Delete {row['path']}")
    version = await commit_changes(session, dataset, change_set, [Change(row["path"], None)], cache=cache)
    return wire_version(dataset, version)


async def delete_files(
    session: Session, dataset_id: str, request: DeleteFilesRequest, *, created_by: str, cache: Cache
) -> DatasetVersion:
    """Remove files in one new version; older versions keep them.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        PathNotFoundError: One of them does not exist; nothing is removed.
        PathConflictError: One of them changed after the base version.
    """
    paths = _unique_paths(request.paths)
    dataset = await lock_dataset(session, dataset_id)
    change_set = ChangeSet(
        created_by=created_by, message=f"Delete {len(paths)} files", base_version=request.base_version
    )
    changes = [Change(path, None) for path in paths]
    return wire_version(dataset, await commit_changes(session, dataset, change_set, changes, cache=cache))


async def _require_file(session: Session, dataset: DatasetRow, file_id: str, version: int | None) -> RowMapping:
    row = await repository.find(session, dataset.key, file_id, _as_stored(dataset, version))
    if row is None:
        where = "The newest version" if version is None else f"Version {version}"
        raise FileNotInVersionError(f"{where} of the dataset {dataset.name!r} has no file {file_id}.")
    return row


def _as_stored(dataset: DatasetRow, version: int | None) -> int | None:
    """Return None for the newest version, which has an index of its own."""
    return None if version == dataset.version else version


def _unique_paths(paths: Sequence[str]) -> list[str]:
    return [*dict.fromkeys(normal_path(path, field=f"paths.{place}") for place, path in enumerate(paths))]


def _file(row: RowMapping) -> File:
    return File(
        id=row["file_id"],
        path=row["path"],
        size_bytes=row["size_bytes"],
        hash=row["hash"].hex(),
        media_type=row["media_type"],
        created_at=row["created_at"],
        version=row["v_from"],
    )
