"""Turns stored changes into the next version of a dataset."""

from collections.abc import Sequence
from typing import Final

from datamate.contracts.data_management.events import DatasetVersionPublished
from datamate.core.clock import utc_now
from datamate.core.errors import FieldError, InvalidInputError
from datamate.platform.cache import Cache
from datamate.platform.db import Session
from datamate.services.data_management.datasets.models import DatasetRow
from datamate.services.data_management.datasets.service import DATASETS, touch
from datamate.services.data_management.statistics.service import record_change
from datamate.services.data_management.versions import repository
from datamate.services.data_management.versions.changes import Change, ChangeSet, Effect, Tally
from datamate.services.data_management.versions.errors import (
    NothingToCommitError,
    PathClashError,
    PathConflictError,
    PathNotFoundError,
)
from datamate.services.data_management.versions.identity import version_hash
from datamate.services.data_management.versions.models import VersionRow
from datamate.services.data_management.versions.repository import Commit

HASHED_AT_COMMIT_FILES: Final = 20_000
"""Larger versions get their hash when it is first asked for, so that a commit costs its changes and no more."""

_LARGE_COMMIT_FILES: Final = 10_000
"""Without fresh statistics the first pages after so many new entries are read by scanning (measured: 57 for 2 ms)."""


async def commit_changes(
    session: Session, dataset: DatasetRow, change_set: ChangeSet, changes: Sequence[Change], *, cache: Cache
) -> VersionRow:
    """Store changes and make a version of them in one transaction; otherwise as `commit`."""
    await repository.put_changes(session, change_set.id, changes)
    return await commit(session, dataset, change_set, cache=cache)


async def commit(session: Session, dataset: DatasetRow, change_set: ChangeSet, *, cache: Cache) -> VersionRow:
    """Make one version of the changes that are stored under the id of `change_set`, and forget those.

    Changes that change nothing make no version, unless a run made them: then the newest version is returned.

    Args:
        session: A transaction; nothing stays of the version if it rolls back.
        dataset: Locked, so that versions of one dataset are made one after the other.
        change_set: What to commit.
        cache: Where the dataset is void from now on.

    Raises:
        PathConflictError: One of the paths changed after the base version.
        PathNotFoundError: A path to remove does not exist.
        PathClashError: A path would be a file and a folder at once.
        NothingToCommitError: There is neither a change nor a version.
    """
    planned = Commit(dataset.key, dataset.version + 1, change_set.id)
    await _refuse_conflicts(session, dataset, planned, change_set)
    effect = await _apply(session, planned, replaces_all=change_set.replaces_all)
    if effect.added:
        await _refuse_clash(session, planned)
    await repository.delete_changes(session, change_set.id)
    if not (effect.files or change_set.source_run_id):
        return await _unchanged(session, dataset)
    if effect.files >= _LARGE_COMMIT_FILES:
        await repository.refresh_statistics(session)
    return await _publish(session, dataset, change_set, effect, cache=cache)


async def _apply(session: Session, planned: Commit, *, replaces_all: bool) -> Effect:
    others = await repository.close_other_entries(session, planned) if replaces_all else Tally(0, 0)
    applied = await repository.apply_changes(session, planned)
    if applied.absent:
        paths = await repository.absent_paths(session, planned)
        errors = [FieldError("paths", f"there is no file {path}") for path in paths]
        raise PathNotFoundError(f"The dataset has no file {_listing(paths)}.", errors=errors)
    return applied.effect.and_removed(others)


async def _refuse_conflicts(session: Session, dataset: DatasetRow, planned: Commit, change_set: ChangeSet) -> None:
    base = change_set.base_version
    if base is None or base == dataset.version:
        return
    if base > dataset.version:
        fault = FieldError("base_version", f"the newest version is {dataset.version}")
        raise InvalidInputError(f"There is no version {base} to base changes on.", errors=[fault])
    paths = await repository.conflicts(session, planned, base=base, replaces_all=change_set.replaces_all)
    if paths:
        raise PathConflictError(
            f"Since version {base} the dataset changed at {_listing(paths)}. Look at version {dataset.version}, "
            "then repeat with that as base_version.",
            errors=[FieldError("path", f"{path} changed") for path in paths],
        )


async def _refuse_clash(session: Session, planned: Commit) -> None:
    clash = await repository.find_clash(session, planned)
    if clash is not None:
        file, below = clash
        fault = FieldError("path", f"{file} cannot be a file while {below} lies below it")
        raise PathClashError(
            f"{file!r} would be a file and the folder of {below!r}; rename one of them.", errors=[fault]
        )


async def _unchanged(session: Session, dataset: DatasetRow) -> VersionRow:
    newest = await repository.find_version(session, dataset.key, dataset.version)
    if newest is None:
        raise NothingToCommitError("There is no file to make the first version of; upload one.")
    return newest


async def _publish(
    session: Session, dataset: DatasetRow, change_set: ChangeSet, effect: Effect, *, cache: Cache
) -> VersionRow:
    dataset.version += 1
    dataset.file_count += effect.grown_files
    dataset.size_bytes += effect.grown_bytes
    touch(dataset, at=utc_now())
    hashed = dataset.file_count <= HASHED_AT_COMMIT_FILES
    row = VersionRow(
        dataset_key=dataset.key,
        version=dataset.version,
        hash=await version_hash(session, dataset.key, dataset.version) if hashed else None,
        file_count=dataset.file_count,
        size_bytes=dataset.size_bytes,
        added=effect.added,
        changed=effect.changed,
        removed=effect.removed,
        message=change_set.message,
        created_by=change_set.created_by,
        created_at=dataset.updated_at,
        source_run_id=change_set.source_run_id,
    )
    session.add(row)
    record_change(session, file_count=effect.grown_files, size_bytes=effect.grown_bytes)
    session.publish(
        DatasetVersionPublished(
            aggregate_id=dataset.id,
            aggregate_version=dataset.revision,
            dataset_id=dataset.id,
            version=dataset.version,
            source_run_id=change_set.source_run_id,
        )
    )
    await cache.bump(session, DATASETS, dataset.id)
    return row


def _listing(paths: Sequence[str]) -> str:
    return ", ".join(repr(path) for path in paths)
