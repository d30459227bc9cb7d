"""SQL of versions.

A commit is a handful of statements over sets, whatever its size: its changes lie in a table and never in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, RowMapping, or_, select, text

from datamate.platform.db import Session
from datamate.services.data_management.blobs.models import BlobRow
from datamate.services.data_management.versions.changes import Applied, Change, Effect, Tally
from datamate.services.data_management.versions.models import EntryRow, VersionRow

_SHOWN_PATHS: Final = 10
_CHUNK_ROWS: Final = 10_000

# Arrays travel as text: the driver knows text[] by itself and asks the server about any other array type first, on
# every new connection.
_PUT_CHANGES: Final = text("""
    INSERT INTO data_management.changes (change_set_id, path, blob_id, size_bytes, media_type, file_id)
    SELECT CAST(:change_set_id AS uuid), path, CAST(blob_id AS bigint), CAST(size AS bigint), media_type,
           CAST(file_id AS uuid)
    FROM unnest(
        CAST(:paths AS text[]), CAST(:blob_ids AS text[]), CAST(:sizes AS text[]), CAST(:media_types AS text[]),
        CAST(:file_ids AS text[])) AS change (path, blob_id, size, media_type, file_id)
    ON CONFLICT (change_set_id, path) DO UPDATE SET
        blob_id = excluded.blob_id, size_bytes = excluded.size_bytes, media_type = excluded.media_type,
        created_at = excluded.created_at
""")
_DELETE_CHANGES: Final = text("DELETE FROM data_management.changes WHERE change_set_id = CAST(:change_set_id AS uuid)")

# The statements of a commit look up each change by LATERAL (… LIMIT 1), which no planner can turn around: one probe
# of an index per change. As plain joins they depend on statistics, which are wrong right after the first large commit
# (measured: 13 s instead of 20 ms for 1,000 changes of 100,000 files). For the same reason `+ 0` keeps the indexes of
# v_from and v_to out where the path leads to the row.
_HEAD: Final = """
    LATERAL (
        SELECT entry.ctid AS row_id, entry.file_id, entry.blob_id, entry.media_type
        FROM data_management.entries AS entry
        WHERE entry.dataset_key = :dataset_key AND entry.path = change.path AND entry.v_to IS NULL LIMIT 1) AS head
"""
# A change that asks for what the path holds by now is no conflict: it is the retry of a commit whose answer got lost.
_CONFLICTS: Final = text(f"""
    SELECT change.path
    FROM data_management.changes AS change
    LEFT JOIN {_HEAD} ON TRUE
    CROSS JOIN LATERAL (
        SELECT FROM data_management.entries AS entry
        WHERE entry.dataset_key = :dataset_key AND entry.path = change.path
          AND (entry.v_from + 0 > :base OR entry.v_to + 0 > :base) LIMIT 1) AS later
    WHERE change.change_set_id = CAST(:change_set_id AS uuid)
      AND (head.blob_id IS DISTINCT FROM change.blob_id OR head.media_type <> change.media_type)
    LIMIT :limit
""")  # noqa: S608 - put together of constants
_CHANGED_SINCE: Final = text("""
    (SELECT path FROM data_management.entries WHERE dataset_key = :dataset_key AND v_from > :base LIMIT :limit)
    UNION
    (SELECT path FROM data_management.entries WHERE dataset_key = :dataset_key AND v_to > :base LIMIT :limit)
    LIMIT :limit
""")
_CLOSE_OTHERS: Final = text("""
    WITH closed AS (
        UPDATE data_management.entries SET v_to = :version
        WHERE ctid = ANY (ARRAY(
            SELECT entry.ctid FROM data_management.entries AS entry
            LEFT JOIN LATERAL (
                SELECT change.path FROM data_management.changes AS change
                WHERE change.change_set_id = CAST(:change_set_id AS uuid) AND change.path = entry.path LIMIT 1
            ) AS kept ON TRUE
            WHERE entry.dataset_key = :dataset_key AND entry.v_to IS NULL AND kept.path IS NULL))
        RETURNING size_bytes)
    SELECT count(*), CAST(coalesce(sum(size_bytes), 0) AS bigint) FROM closed
""")
# `opened` counts `closed` first, so that every old head has ended when the index of heads sees the new one.
_APPLY: Final = text(f"""
    WITH change AS MATERIALIZED (
        SELECT change.path, change.blob_id, change.size_bytes, change.media_type, change.created_at, head.row_id,
               coalesce(head.file_id, change.file_id) AS file_id,
               head.row_id IS NULL OR head.blob_id IS DISTINCT FROM change.blob_id
                   OR head.media_type <> change.media_type AS differs
        FROM data_management.changes AS change
        LEFT JOIN {_HEAD} ON TRUE
        WHERE change.change_set_id = CAST(:change_set_id AS uuid)
    ), closed AS (
        UPDATE data_management.entries SET v_to = :version
        WHERE ctid = ANY (ARRAY(SELECT row_id FROM change WHERE differs AND row_id IS NOT NULL))
        RETURNING size_bytes
    ), opened AS (
        INSERT INTO data_management.entries
            (dataset_key, path, v_from, blob_id, size_bytes, media_type, file_id, created_at)
        SELECT :dataset_key, path, :version, blob_id, size_bytes, media_type, file_id, created_at
        FROM change
        WHERE differs AND blob_id IS NOT NULL AND (SELECT count(*) FROM closed) IS NOT NULL
        RETURNING size_bytes
    )
    SELECT removals.present AS removed, removals.absent, closed.files - removals.present AS changed,
           opened.files - (closed.files - removals.present) AS added,
           opened.size_bytes - closed.size_bytes AS grown_bytes
    FROM
        (SELECT count(row_id) AS present, count(*) - count(row_id) AS absent FROM change WHERE blob_id IS NULL)
            AS removals,
        (SELECT count(*) AS files, CAST(coalesce(sum(size_bytes), 0) AS bigint) AS size_bytes FROM closed) AS closed,
        (SELECT count(*) AS files, CAST(coalesce(sum(size_bytes), 0) AS bigint) AS size_bytes FROM opened) AS opened
""")  # noqa: S608 - put together of constants
_CLOSED: Final = """
    LATERAL (
        SELECT entry.path FROM data_management.entries AS entry
        WHERE entry.dataset_key = :dataset_key AND entry.v_to = :version AND entry.path = change.path LIMIT 1) AS closed
"""
_ABSENT: Final = text(f"""
    SELECT change.path FROM data_management.changes AS change
    LEFT JOIN {_CLOSED} ON TRUE
    WHERE change.change_set_id = CAST(:change_set_id AS uuid) AND change.blob_id IS NULL AND closed.path IS NULL
    LIMIT :limit
""")  # noqa: S608 - put together of constants
# First files that became folders ('0' is the character after '/': the range holds exactly what lies below the path),
# then new files below a file.
_CLASH: Final = text(f"""
    (SELECT change.path AS file, below.path AS below
    FROM data_management.changes AS change
    LEFT JOIN {_CLOSED} ON TRUE
    CROSS JOIN LATERAL (
        SELECT entry.path FROM data_management.entries AS entry
        WHERE entry.dataset_key = :dataset_key AND entry.v_to IS NULL
          AND entry.path > change.path || '/' AND entry.path < change.path || '0'
        ORDER BY entry.path LIMIT 1) AS below
    WHERE change.change_set_id = CAST(:change_set_id AS uuid) AND change.blob_id IS NOT NULL AND closed.path IS NULL
    LIMIT 1)
  UNION ALL
    (SELECT file.path, folder.below
    FROM (
        SELECT array_to_string(segments[1:depth], '/') COLLATE "C" AS path, min(change.path) AS below
        FROM data_management.changes AS change
        CROSS JOIN LATERAL string_to_array(change.path, '/') AS segments
        CROSS JOIN LATERAL generate_series(1, cardinality(segments) - 1) AS depth
        WHERE change.change_set_id = CAST(:change_set_id AS uuid) AND change.blob_id IS NOT NULL
        GROUP BY 1) AS folder
    CROSS JOIN LATERAL (
        SELECT entry.path FROM data_management.entries AS entry
        WHERE entry.dataset_key = :dataset_key AND entry.path = folder.path AND entry.v_to IS NULL LIMIT 1) AS file
    LIMIT 1)
    LIMIT 1
""")  # noqa: S608 - put together of constants
_ANALYZE: Final = text("ANALYZE (SKIP_LOCKED) data_management.entries")
_DIFF: Final = text("""
    WITH newer AS (
        SELECT path, blob_id, size_bytes, media_type FROM data_management.entries
        WHERE dataset_key = :dataset_key AND v_from > :base AND v_from <= :version AND path > :after
          AND (v_to IS NULL OR v_to > :version)
    ), older AS (
        SELECT path, blob_id, media_type FROM data_management.entries
        WHERE dataset_key = :dataset_key AND v_to > :base AND v_to <= :version AND path > :after AND v_from <= :base
    )
    SELECT coalesce(newer.path, older.path) AS path, newer.size_bytes, blob.hash,
           CASE WHEN older.path IS NULL THEN 'added' WHEN newer.path IS NULL THEN 'removed' ELSE 'changed' END AS change
    FROM newer
    FULL JOIN older ON older.path = newer.path
    LEFT JOIN data_management.blobs AS blob ON blob.id = newer.blob_id
    WHERE newer.blob_id IS DISTINCT FROM older.blob_id OR newer.media_type IS DISTINCT FROM older.media_type
    ORDER BY 1 LIMIT :limit
""")
_IDENTITY_ROWS: Final = text("""
    SELECT string_agg(int4send(octet_length(name)) || name || int8send(size_bytes) || hash, '' ORDER BY path) AS rows,
           max(path) AS last_path
    FROM (
        SELECT entry.path, convert_to(entry.path, 'UTF8') AS name, entry.size_bytes,
               (SELECT blob.hash FROM data_management.blobs AS blob WHERE blob.id = entry.blob_id) AS hash
        FROM data_management.entries AS entry
        WHERE entry.dataset_key = :dataset_key AND entry.path > :after
          AND entry.v_from + 0 <= :version AND (entry.v_to IS NULL OR entry.v_to > :version)
        ORDER BY entry.path LIMIT :limit) AS page
""")


@dataclass(frozen=True, slots=True)
class Commit:
    """Which version of which dataset is made of which stored changes."""

    dataset_key: int
    version: int
    change_set_id: str

    @property
    def values(self) -> Mapping[str, object]:
        """Return the parameters of the statements of a commit."""
        return {"dataset_key": self.dataset_key, "version": self.version, "change_set_id": self.change_set_id}


async def put_changes(session: Session, change_set_id: str, changes: Sequence[Change]) -> None:
    """Store changes under an id; a later change of the same path replaces the earlier one."""
    for start in range(0, len(changes), _CHUNK_ROWS):
        chunk = changes[start : start + _CHUNK_ROWS]
        values = {
            "change_set_id": change_set_id,
            "paths": [change.path for change in chunk],
            "blob_ids": [None if change.blob_id is None else str(change.blob_id) for change in chunk],
            "sizes": [str(change.size_bytes) for change in chunk],
            "media_types": [change.media_type for change in chunk],
            "file_ids": [change.file_id for change in chunk],
        }
        await session.execute(_PUT_CHANGES, values)


async def delete_changes(session: Session, change_set_id: str) -> None:
    """Forget stored changes."""
    await session.execute(_DELETE_CHANGES, {"change_set_id": change_set_id})


async def conflicts(session: Session, commit: Commit, *, base: int, replaces_all: bool) -> Sequence[str]:
    """Return some of the paths that this commit changes and that changed after version `base`."""
    statement = _CHANGED_SINCE if replaces_all else _CONFLICTS
    values = {**commit.values, "base": base, "limit": _SHOWN_PATHS}
    return (await session.scalars(statement, values)).all()


async def close_other_entries(session: Session, commit: Commit) -> Tally:
    """End the entries of paths that no change names."""
    return Tally(*(await session.execute(_CLOSE_OTHERS, commit.values)).one())


async def apply_changes(session: Session, commit: Commit) -> Applied:
    """End the entries of paths that hold something else, or nothing, from this version on, and begin the new ones."""
    row = (await session.execute(_APPLY, commit.values)).one()
    effect = Effect(added=row.added, changed=row.changed, removed=row.removed, grown_bytes=row.grown_bytes)
    return Applied(effect, absent=row.absent)


async def absent_paths(session: Session, commit: Commit) -> Sequence[str]:
    """Return some of the paths that an applied commit removes although they did not exist."""
    return (await session.scalars(_ABSENT, {**commit.values, "limit": _SHOWN_PATHS})).all()


async def find_clash(session: Session, commit: Commit) -> tuple[str, str] | None:
    """Return a path that is both a file and a folder since this version, and a file below it; or None."""
    row = (await session.execute(_CLASH, commit.values)).one_or_none()
    return (row.file, row.below) if row is not None else None


async def refresh_statistics(session: Session) -> None:
    """Have the planner learn of many new entries now, and not when autovacuum comes by."""
    await session.execute(_ANALYZE)


async def identity_rows(
    session: Session, dataset_key: int, version: int, *, after: str, limit: int
) -> tuple[bytes, str] | None:
    """Return the encoded rows of up to `limit` paths after `after`, and the last path; None if there are no more."""
    values = {"dataset_key": dataset_key, "version": version, "after": after, "limit": limit}
    row = (await session.execute(_IDENTITY_ROWS, values)).one()
    return None if row.last_path is None else (row.rows, row.last_path)


async def diff_page(  # noqa: PLR0913 - two versions and a page
    session: Session, dataset_key: int, *, base: int, version: int, after: str, limit: int
) -> Sequence[RowMapping]:
    """Return up to `limit` paths after `after` that differ between two versions, by path."""
    values = {"dataset_key": dataset_key, "base": base, "version": version, "after": after, "limit": limit}
    return (await session.execute(_DIFF, values)).mappings().all()


async def manifest_page(
    session: Session, dataset_key: int, version: int, *, after: str, limit: int
) -> Sequence[RowMapping]:
    """Return up to `limit` files of a version after `after`, by path, with where their bytes are."""
    query = (
        select(EntryRow.path, EntryRow.size_bytes, EntryRow.media_type, BlobRow.hash, BlobRow.object_key)
        .join(BlobRow, BlobRow.id == EntryRow.blob_id)
        .where(EntryRow.dataset_key == dataset_key, EntryRow.path > after, *visible_in(version))
        .order_by(EntryRow.path)
        .limit(limit)
    )
    return (await session.execute(query)).mappings().all()


def visible_in(version: int | None) -> list[ColumnElement[bool]]:
    """Return the conditions under which an entry is part of a version; None means the newest."""
    if version is None:
        return [EntryRow.v_to.is_(None)]
    # + 0: a page is read along the index of paths, never by that of v_from.
    return [EntryRow.v_from + 0 <= version, or_(EntryRow.v_to.is_(None), EntryRow.v_to > version)]


async def find_version(session: Session, dataset_key: int, version: int) -> VersionRow | None:
    """Return a version of a dataset, or None."""
    return await session.get(VersionRow, (dataset_key, version))


async def find_by_run(session: Session, dataset_key: int, source_run_id: str) -> VersionRow | None:
    """Return the version that a run made of a dataset, or None."""
    query = select(VersionRow).where(VersionRow.dataset_key == dataset_key, VersionRow.source_run_id == source_run_id)
    return (await session.scalars(query)).one_or_none()


async def list_page(session: Session, dataset_key: int, *, before: int | None, limit: int) -> Sequence[VersionRow]:
    """Return up to `limit` versions before number `before`, newest first."""
    query = select(VersionRow).where(VersionRow.dataset_key == dataset_key)
    if before is not None:
        query = query.where(VersionRow.version < before)
    return (await session.scalars(query.order_by(VersionRow.version.desc()).limit(limit))).all()
