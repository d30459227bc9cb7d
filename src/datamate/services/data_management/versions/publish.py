"""Publishes what a run left below `staging/` as a version, once, however often the run says so."""

from collections.abc import Mapping, Sequence

from datamate.contracts.data_management.files import PublishVersionRequest, StagedFile
from datamate.contracts.data_management.versions import DatasetVersion
from datamate.core.errors import FieldError, NotFoundError
from datamate.services.data_management.blobs.models import BlobRow
from datamate.services.data_management.blobs.repository import PlacedContent
from datamate.services.data_management.blobs.service import find_by_hashes, place_copy, register
from datamate.services.data_management.blobs.side_by_side import side_by_side
from datamate.services.data_management.datasets.service import find_dataset, lock_dataset
from datamate.services.data_management.deps import DataManagementResources
from datamate.services.data_management.lineage.service import find_sources, record_lineage
from datamate.services.data_management.versions import repository
from datamate.services.data_management.versions.changes import Change, ChangeSet
from datamate.services.data_management.versions.commit import commit_changes
from datamate.services.data_management.versions.errors import InvalidPathError, StagedFileError
from datamate.services.data_management.versions.paths import normal_path
from datamate.services.data_management.versions.service import wire_version
from datamate.storage import ContentHash, hash_object


async def publish(
    resources: DataManagementResources, dataset_id: str, request: PublishVersionRequest, *, created_by: str
) -> tuple[DatasetVersion, bool]:
    """Make one version of staged objects; return it and whether this call made it.

    Every object is read and checked before anything is stored; nothing staged is removed, so that a call whose answer
    got lost can be repeated. Calls at the same moment wait for each other and return the same version.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        StagedFileError: An object is absent, or not what the request says.
        InvalidPathError: A path is not valid, or stands there twice.
        InvalidInputError: An input of the lineage does not exist.
        PathClashError: A path would be a file and a folder at once.
    """
    async with resources.database.reader() as session:
        dataset = await find_dataset(session, dataset_id)
        made = await repository.find_by_run(session, dataset.key, request.source_run_id)
        if made is not None:
            return wire_version(dataset, made), False
        known = await find_by_hashes(session, {file.hash for file in request.files})
    paths = _normal_paths(request.files)
    placed = await _place_all(resources, request.files, known)
    async with resources.database.transaction() as session:
        dataset = await lock_dataset(session, dataset_id)
        made = await repository.find_by_run(session, dataset.key, request.source_run_id)
        if made is not None:
            return wire_version(dataset, made), False
        blobs = await register(session, resources.store, placed)
        changes = [_change(path, file, blobs) for path, file in zip(paths, request.files, strict=True)]
        sources = await find_sources(session, request.inputs)
        change_set = ChangeSet(
            created_by=created_by,
            message=request.message,
            replaces_all=request.mode == "replace",
            source_run_id=request.source_run_id,
        )
        row = await commit_changes(session, dataset, change_set, changes, cache=resources.cache)
        record_lineage(session, dataset, row.version, sources, run_id=request.source_run_id)
    return wire_version(dataset, row), True


def _change(path: str, file: StagedFile, blobs: Mapping[str, int]) -> Change:
    return Change(path, blobs[file.hash], size_bytes=file.size_bytes, media_type=file.media_type)


def _normal_paths(files: Sequence[StagedFile]) -> list[str]:
    paths = [normal_path(file.path, field=f"files.{place}.path") for place, file in enumerate(files)]
    seen: set[str] = set()
    for place, path in enumerate(paths):
        if path in seen:
            fault = FieldError(f"files.{place}.path", "another file of this request has the same path")
            raise InvalidPathError(f"{path!r} stands there twice.", errors=[fault])
        seen.add(path)
    return paths


async def _place_all(
    resources: DataManagementResources, files: Sequence[StagedFile], known: Mapping[str, BlobRow]
) -> list[PlacedContent]:
    """Return where the content of every file is, after copying what is not kept yet."""
    first_use = {file.hash: (place, file) for place, file in reversed([*enumerate(files)])}
    return await side_by_side(first_use.values(), lambda use: _place(resources, use[0], use[1], known.get(use[1].hash)))


async def _place(
    resources: DataManagementResources, place: int, file: StagedFile, known: BlobRow | None
) -> PlacedContent:
    content = ContentHash(file.size_bytes, file.hash)
    if known is not None:
        if known.size_bytes != file.size_bytes:
            raise _mismatch(place, file, ContentHash(known.size_bytes, file.hash))
        return PlacedContent(content, known.object_key, known.id)
    try:
        found = await hash_object(resources.store, file.object_key)
        if found != content:
            raise _mismatch(place, file, found)
        return await place_copy(resources.store, content, file.object_key)
    except NotFoundError as error:
        fault = FieldError(f"files.{place}.object_key", f"there is no object {file.object_key}")
        raise StagedFileError(f"Nothing is staged for {file.path!r}.", errors=[fault]) from error


def _mismatch(place: int, file: StagedFile, found: ContentHash) -> StagedFileError:
    message = (
        f"{file.object_key} holds {found.size_bytes} bytes with hash {found.hash}, "
        f"not {file.size_bytes} bytes with hash {file.hash}"
    )
    return StagedFileError(
        f"A staged object is not what was said: {message}.", errors=[FieldError(f"files.{place}", message)]
    )
