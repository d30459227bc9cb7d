"""Shows versions, what changed between them, and where their bytes are."""

from typing import Final

from sqlalchemy import RowMapping

from datamate.contracts.data_management.files import ManifestFile
from datamate.contracts.data_management.versions import DatasetVersion, FileChange
from datamate.contracts.paging import Page
from datamate.core.errors import FieldError, InvalidInputError
from datamate.core.paging import decode_cursor, encode_cursor
from datamate.platform.db import Database, Session
from datamate.services.data_management.datasets.models import DatasetRow
from datamate.services.data_management.datasets.service import find_dataset
from datamate.services.data_management.versions import repository
from datamate.services.data_management.versions.errors import VersionNotFoundError
from datamate.services.data_management.versions.identity import version_hash
from datamate.services.data_management.versions.models import VersionRow

NO_PATH: Final = ""
"""Sorts before every path."""


async def list_versions(session: Session, dataset_id: str, *, cursor: str | None, limit: int) -> Page[DatasetVersion]:
    """Return one page of the versions of a dataset, newest first.

    Raises:
        DatasetNotFoundError: There is no such dataset.
    """
    dataset = await find_dataset(session, dataset_id)
    key = decode_cursor(cursor, kinds=(int,))
    before = int(key[0]) if key else None
    rows = await repository.list_page(session, dataset.key, before=before, limit=limit + 1)
    more = encode_cursor((rows[limit - 1].version,)) if len(rows) > limit else None
    items = [wire_version(dataset, row) for row in rows[:limit]]
    return Page[DatasetVersion](items=items, next_cursor=more, total=dataset.version)


async def get_version(database: Database, dataset_id: str, version: int) -> DatasetVersion:
    """Return a version with its hash, computing that first if nobody asked for it before.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        VersionNotFoundError: It has no such version.
    """
    async with database.reader() as session:
        dataset = await find_dataset(session, dataset_id)
        row = await require_version(session, dataset, version)
        computed = await version_hash(session, dataset.key, version) if row.hash is None else None
    if computed is not None:
        async with database.transaction() as session:
            row = await require_version(session, dataset, version)
            row.hash = computed
    return wire_version(dataset, row)


async def require_version(session: Session, dataset: DatasetRow, version: int) -> VersionRow:
    """Return a version of a dataset.

    Raises:
        VersionNotFoundError: It has no such version.
    """
    row = await repository.find_version(session, dataset.key, version)
    if row is None:
        raise VersionNotFoundError(
            f"The dataset {dataset.name!r} has no version {version}; its newest is {dataset.version}."
        )
    return row


async def diff(  # noqa: PLR0913 - two versions and a page
    session: Session, dataset_id: str, version: int, *, base: int | None, cursor: str | None, limit: int
) -> Page[FileChange]:
    """Return one page of the paths that differ between two versions, by path.

    Args:
        session: Any session.
        dataset_id: Which dataset.
        version: The newer version.
        base: The older version; 0 is the empty dataset, None the version just before.
        cursor: Where to go on.
        limit: Most items on the page.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        VersionNotFoundError: It has no such version.
        InvalidInputError: `base` is not older than `version`.
    """
    dataset = await find_dataset(session, dataset_id)
    await require_version(session, dataset, version)
    older = version - 1 if base is None else base
    if older >= version:
        fault = FieldError("base", f"expected a version before {version}")
        raise InvalidInputError(
            f"A diff goes from an older to a newer version, and {older} is not older.", errors=[fault]
        )
    after = _after(cursor)
    rows = await repository.diff_page(session, dataset.key, base=older, version=version, after=after, limit=limit + 1)
    more = encode_cursor((rows[limit - 1]["path"],)) if len(rows) > limit else None
    return Page[FileChange](items=[_file_change(row) for row in rows[:limit]], next_cursor=more)


async def manifest(
    session: Session, dataset_id: str, version: int, *, cursor: str | None, limit: int
) -> Page[ManifestFile]:
    """Return one page of the files of a version and the objects that hold their bytes, by path.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        VersionNotFoundError: It has no such version.
    """
    dataset = await find_dataset(session, dataset_id)
    row = await require_version(session, dataset, version)
    rows = await repository.manifest_page(session, dataset.key, version, after=_after(cursor), limit=limit + 1)
    more = encode_cursor((rows[limit - 1]["path"],)) if len(rows) > limit else None
    items = [_manifest_file(file) for file in rows[:limit]]
    return Page[ManifestFile](items=items, next_cursor=more, total=row.file_count)


def wire_version(dataset: DatasetRow, row: VersionRow) -> DatasetVersion:
    """Return a version as clients see it."""
    return DatasetVersion(
        dataset_id=dataset.id,
        version=row.version,
        hash=row.hash.hex() if row.hash is not None else None,
        file_count=row.file_count,
        size_bytes=row.size_bytes,
        added=row.added,
        changed=row.changed,
        removed=row.removed,
        message=row.message,
        created_by=row.created_by,
        created_at=row.created_at,
        source_run_id=row.source_run_id,
    )


def _after(cursor: str | None) -> str:
    key = decode_cursor(cursor, kinds=(str,))
    return str(key[0]) if key else NO_PATH


def _file_change(row: RowMapping) -> FileChange:
    content = row["hash"]
    return FileChange(
        path=row["path"],
        change=row["change"],
        size_bytes=row["size_bytes"],
        hash=content.hex() if content is not None else None,
    )


def _manifest_file(row: RowMapping) -> ManifestFile:
    return ManifestFile(
        path=row["path"],
        size_bytes=row["size_bytes"],
        hash=row["hash"].hex(),
        media_type=row["media_type"],
        object_key=row["object_key"],
    )
