"""Makes the files of a dataset version readable for the engine."""

import asyncio
from pathlib import Path
from typing import Final

from datamate.clients.data_management import DataManagementClient
from datamate.contracts.data_management.files import ManifestFile
from datamate.engine.errors import UnreadableInputError
from datamate.engine.formats.kinds import kind_of, supported_suffixes
from datamate.engine.inputs import InputFile
from datamate.storage import ObjectStore

_PARALLEL_DOWNLOADS: Final = 4


async def fetch_inputs(
    client: DataManagementClient, store: ObjectStore, *, dataset_id: str, version: int, folder: Path
) -> tuple[InputFile, ...]:
    """Return the files of a version as the engine's input, in the order of their paths.

    A folder store is read in place; a bucket's objects are first copied below `folder`.

    Args:
        client: Reads the manifest.
        store: Where the bytes are.
        dataset_id: The dataset.
        version: Its version.
        folder: Where copies go; it exists.

    Raises:
        UnreadableInputError: A file is of a kind that no reader knows.
        UnavailableError: The object store does not answer.
    """
    files = [file async for file in client.iterate_manifest(dataset_id, version)]
    unreadable = [file.path for file in files if kind_of(file.path) is None]
    if unreadable:
        raise UnreadableInputError(
            f"{unreadable[0]} is of no kind that can be read ({len(unreadable)} such files in version {version}); "
            f"readable are {supported_suffixes()}. Remove them from the dataset, or run on another version."
        )
    limit = asyncio.Semaphore(_PARALLEL_DOWNLOADS)
    async with asyncio.TaskGroup() as group:
        places = [group.create_task(_local_copy(store, file, folder, limit)) for file in files]
    return tuple(_as_input(file, place.result()) for file, place in zip(files, places, strict=True))


async def _local_copy(store: ObjectStore, file: ManifestFile, folder: Path, limit: asyncio.Semaphore) -> Path:
    """Return where the bytes are on this machine, copying them there if they are not."""
    in_place = store.location.local_path(file.object_key)
    if in_place is not None:
        return in_place
    target = folder / file.hash
    async with limit:
        with await asyncio.to_thread(target.open, "wb") as copy:
            async for piece in store.stream(file.object_key):
                await asyncio.to_thread(copy.write, piece)
    return target


def _as_input(file: ManifestFile, place: Path) -> InputFile:
    kind = kind_of(file.path)
    if kind is None:
        raise UnreadableInputError(f"{file.path} is of no kind that can be read.")
    return InputFile(name=file.path, location=str(place), size_bytes=file.size_bytes, identity=file.hash, kind=kind)
