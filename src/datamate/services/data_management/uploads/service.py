"""Opens uploads, receives their files side by side, and makes one version of them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import RowMapping

from datamate.contracts.data_management.uploads import (
    CommitUploadRequest,
    CreateUploadRequest,
    ReceivedFile,
    Upload,
    UploadStatus,
)
from datamate.contracts.data_management.versions import DatasetVersion
from datamate.contracts.paging import Page
from datamate.core.clock import utc_now
from datamate.core.errors import FieldError, InvalidInputError
from datamate.core.ids import new_id
from datamate.core.paging import decode_cursor, encode_cursor
from datamate.platform.cache import Cache
from datamate.platform.db import Session
from datamate.platform.security import Principal
from datamate.services.data_management.blobs.service import register
from datamate.services.data_management.datasets.service import find_dataset, lock_dataset
from datamate.services.data_management.deps import DataManagementResources
from datamate.services.data_management.files.incoming import Incoming, IncomingFiles
from datamate.services.data_management.uploads import repository
from datamate.services.data_management.uploads.errors import UploadClosedError, UploadNotFoundError
from datamate.services.data_management.uploads.models import UploadRow
from datamate.services.data_management.versions.changes import Change, ChangeSet
from datamate.services.data_management.versions.commit import commit_changes
from datamate.services.data_management.versions.paths import normal_path
from datamate.services.data_management.versions.repository import delete_changes, put_changes
from datamate.services.data_management.versions.service import require_version, wire_version

LIFETIME: Final = timedelta(days=7)
"""How long an upload may stay open: long enough for terabytes over a slow line."""

_ADMIN: Final = "ADMIN"


async def create_upload(session: Session, request: CreateUploadRequest, *, created_by: str) -> Upload:
    """Open an upload.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        InvalidInputError: The base version does not exist yet.
    """
    dataset = await find_dataset(session, request.dataset_id)
    base = dataset.version if request.base_version is None else request.base_version
    if base > dataset.version:
        fault = FieldError("base_version", f"the newest version is {dataset.version}")
        raise InvalidInputError(f"There is no version {base} to base changes on.", errors=[fault])
    row = await repository.insert_upload(
        session,
        upload_id=new_id(),
        dataset_id=dataset.id,
        base_version=base,
        message=request.message,
        created_by=created_by,
        lifetime=LIFETIME,
    )
    return _upload(row)


async def get_upload(session: Session, upload_id: str, principal: Principal) -> Upload:
    """Return an upload of the caller's own.

    Raises:
        UploadNotFoundError: There is none, or it is somebody else's; the answer does not tell which.
    """
    return _upload(_owned(await repository.find(session, upload_id), upload_id, principal))


async def list_received(
    session: Session, upload_id: str, principal: Principal, *, cursor: str | None, limit: int
) -> Page[ReceivedFile]:
    """Return one page of what an open upload has received, by path: what is there need not be sent again.

    Raises:
        UploadNotFoundError: There is none, or it is somebody else's.
    """
    _owned(await repository.find(session, upload_id), upload_id, principal)
    key = decode_cursor(cursor, kinds=(str,))
    after = str(key[0]) if key else ""
    rows = await repository.received_page(session, upload_id, after=after, limit=limit + 1)
    more = encode_cursor((rows[limit - 1]["path"],)) if len(rows) > limit else None
    return Page[ReceivedFile](items=[_received(row) for row in rows[:limit]], next_cursor=more)


async def put_files(
    resources: DataManagementResources,
    upload_id: str,
    principal: Principal,
    incoming: IncomingFiles,
) -> list[ReceivedFile]:
    """Receive files; one of the same path as an earlier one replaces it. When they break off, those before stay.

    Raises:
        UploadNotFoundError: There is no such upload, or it is somebody else's.
        UploadClosedError: It takes nothing any more.
        InvalidPathError: A path is not valid.
        TooLargeError, SizeMismatchError, ChecksumMismatchError, StorageFullError: As `blobs.take`.
    """
    async with resources.database.reader() as session:
        _require_open(_owned(await repository.find(session, upload_id), upload_id, principal))
    received: list[ReceivedFile] = []
    async for batch in incoming:
        async with resources.database.transaction() as session:
            _require_open(_owned(await repository.lock(session, upload_id, shared=True), upload_id, principal))
            blobs = await register(session, resources.store, [file.placed for file in batch])
            # By path: two files of one path in a batch are two rows that one statement cannot both put.
            changes = {file.path: file.change(blobs[file.placed.content.hash]) for file in batch}
            await put_changes(session, upload_id, [*changes.values()])
        received += [_received_now(file) for file in batch]
    return received


async def commit_upload(
    session: Session, upload_id: str, principal: Principal, request: CommitUploadRequest, *, cache: Cache
) -> DatasetVersion:
    """Make one version of what an upload received; repeating it returns the same version.

    Raises:
        UploadNotFoundError: There is no such upload, or it is somebody else's.
        UploadClosedError: It was aborted or its time is over.
        DatasetNotFoundError: The dataset was deleted meanwhile.
        PathConflictError: A path changed after the base version; the upload stays open.
        PathNotFoundError: A path to remove does not exist.
        PathClashError: A path would be a file and a folder at once.
    """
    paths = [normal_path(path, field=f"removed_paths.{place}") for place, path in enumerate(request.removed_paths)]
    upload = _owned(await repository.lock(session, upload_id, shared=False), upload_id, principal)
    dataset = await lock_dataset(session, upload.dataset_id)
    if upload.version is not None:
        return wire_version(dataset, await require_version(session, dataset, upload.version))
    _require_open(upload)
    change_set = ChangeSet(
        id=upload.id,
        created_by=upload.created_by,
        message=upload.message if request.message is None else request.message,
        base_version=upload.base_version,
        replaces_all=request.mode == "replace",
    )
    await _refuse_contradiction(session, upload.id, paths)
    removed = [Change(path, None) for path in dict.fromkeys(paths)]
    version = await commit_changes(session, dataset, change_set, removed, cache=cache)
    upload.status, upload.version = UploadStatus.COMMITTED, version.version
    return wire_version(dataset, version)


async def abort_upload(session: Session, upload_id: str, principal: Principal) -> None:
    """Throw an upload away; one that is closed already stays as it is.

    Raises:
        UploadNotFoundError: There is none, or it is somebody else's.
        UploadClosedError: It was committed: its files are in a version.
    """
    upload = _owned(await repository.lock(session, upload_id, shared=False), upload_id, principal)
    if upload.version is not None:
        raise UploadClosedError(f"The upload was committed as version {upload.version}; delete its files there.")
    if upload.status == UploadStatus.OPEN:
        await _close(session, upload, UploadStatus.ABORTED)


async def expire_uploads(session: Session, *, limit: int) -> int:
    """Throw away uploads whose time is over and return how many."""
    rows = await repository.expired(session, now=utc_now(), limit=limit)
    for row in rows:
        await _close(session, row, UploadStatus.EXPIRED)
    return len(rows)


async def _refuse_contradiction(session: Session, upload_id: str, removed_paths: Sequence[str]) -> None:
    received = await repository.find_received(session, upload_id, removed_paths)
    if received:
        errors = [FieldError(f"removed_paths.{removed_paths.index(path)}", f"{path} was uploaded") for path in received]
        raise InvalidInputError("A file cannot be uploaded and removed in one version.", errors=errors)


async def _close(session: Session, upload: UploadRow, status: UploadStatus) -> None:
    upload.status = status
    await delete_changes(session, upload.id)


def _owned(upload: UploadRow | None, upload_id: str, principal: Principal) -> UploadRow:
    if upload is None or (upload.created_by != principal.user_id and principal.role != _ADMIN):
        raise UploadNotFoundError(f"There is no upload {upload_id}.")
    return upload


def _require_open(upload: UploadRow) -> None:
    if upload.status != UploadStatus.OPEN or upload.expires_at < utc_now():
        state = "expired" if upload.status == UploadStatus.OPEN else upload.status
        raise UploadClosedError(f"The upload is {state} and takes nothing any more; open a new one.")


def _upload(row: UploadRow) -> Upload:
    return Upload(
        id=row.id,
        dataset_id=row.dataset_id,
        status=UploadStatus(row.status),
        base_version=row.base_version,
        message=row.message,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        version=row.version,
    )


def _received_now(file: Incoming) -> ReceivedFile:
    content = file.placed.content
    return ReceivedFile(path=file.path, size_bytes=content.size_bytes, hash=content.hash, media_type=file.media_type)


def _received(row: RowMapping) -> ReceivedFile:
    return ReceivedFile(
        path=row["path"], size_bytes=row["size_bytes"], hash=row["hash"].hex(), media_type=row["media_type"]
    )
