"""Uploads files side by side as one version, and sends nothing that the dataset has already."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import FileIO
from typing import Literal

from datamate.clients.data_management import DataManagementClient
from datamate.clients.data_management.files import content_claims
from datamate.contracts.data_management.uploads import CommitUploadRequest, CreateUploadRequest
from datamate.contracts.data_management.versions import DatasetVersion
from datamate.core.errors import DatamateError
from datamate.sdk.local_files import LocalFile, LocalFileError, hash_file
from datamate.sdk.transfer import OnProgress, TransferCounter, for_each, with_retries

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """What to send and how.

    Attributes:
        dataset_id: Where to.
        files: What.
        message: What the new version is about.
        mode: `merge` leaves other files as they are, `replace` makes a version of these files alone.
        parallel: Files on their way at a time.
    """

    dataset_id: str
    files: list[LocalFile]
    message: str
    mode: Literal["merge", "replace"]
    parallel: int


@dataclass(frozen=True, slots=True)
class UploadResult:
    """What an upload did.

    Attributes:
        version: The version that holds the files; an older one if nothing had to be sent.
        sent: Files that were sent.
        skipped: Files that the dataset had already, with the same content.
        bytes_sent: Bytes of the files that were sent.
    """

    version: DatasetVersion
    sent: int
    skipped: int
    bytes_sent: int


async def upload(client: DataManagementClient, plan: UploadPlan, on_progress: OnProgress | None) -> UploadResult:
    """Make a version of some files.

    Raises:
        LocalFileError: A file cannot be read or changed while it was sent.
        DatamateError: What the server raised; the dataset is as it was.
    """
    counter = TransferCounter(
        files=len(plan.files), size_bytes=sum(file.size_bytes for file in plan.files), on_progress=on_progress
    )
    changed = plan.files if plan.mode == "replace" else await _changed(client, plan, counter)
    if not changed:
        newest = await client.get_dataset(plan.dataset_id)
        return UploadResult(await client.get_version(plan.dataset_id, newest.version), 0, len(plan.files), 0)
    session = await client.create_upload(CreateUploadRequest(dataset_id=plan.dataset_id, message=plan.message))
    try:
        await for_each(
            changed,
            lambda file: with_retries(lambda: _send(client, session.id, file, counter)),
            parallel=plan.parallel,
        )
        version = await client.commit_upload(session.id, CommitUploadRequest(mode=plan.mode))
    except BaseException:
        # What was sent expires at the server anyway; this only frees its place sooner.
        with contextlib.suppress(DatamateError):
            await client.abort_upload(session.id)
        raise
    bytes_sent = sum(file.size_bytes for file in changed)
    return UploadResult(version, len(changed), len(plan.files) - len(changed), bytes_sent)


async def _changed(client: DataManagementClient, plan: UploadPlan, counter: TransferCounter) -> list[LocalFile]:
    """Return the files that the dataset does not have by the same path with the same content."""
    if (await client.get_dataset(plan.dataset_id)).version == 0:
        return plan.files
    wanted = {file.path for file in plan.files}
    known = {file.path: file async for file in client.iterate_files(plan.dataset_id) if file.path in wanted}
    unchanged: set[str] = set()

    async def compare(file: LocalFile) -> None:
        there = known.get(file.path)
        if there is None or there.size_bytes != file.size_bytes:
            return
        if await asyncio.to_thread(hash_file, file.source) == there.hash:
            unchanged.add(file.path)
            counter.was_there(file.path, file.size_bytes)

    await for_each(plan.files, compare, parallel=plan.parallel)
    return [file for file in plan.files if file.path not in unchanged]


async def _send(client: DataManagementClient, upload_id: str, file: LocalFile, counter: TransferCounter) -> None:
    digest = await asyncio.to_thread(hash_file, file.source)
    claims = content_claims(size_bytes=file.size_bytes, blake3=digest)
    moved = 0

    async def counted(stream: FileIO) -> AsyncIterator[bytes]:
        nonlocal moved
        async for chunk in _chunks(stream, file):
            yield chunk
            moved += len(chunk)
            counter.moved(file.path, len(chunk))

    try:
        # Opened here and not by the generator, which a broken connection leaves unfinished; and not in a thread, whose
        # result is lost when the upload is cancelled meanwhile.
        with FileIO(file.source, "rb") as stream:
            await client.put_upload_file(upload_id, file.path, counted(stream), claims=claims)
    except OSError as error:
        raise LocalFileError(f"{file.source} cannot be read: {error.strerror}.") from error
    except BaseException:
        counter.moved(file.path, -moved)
        raise
    counter.finished(file.path)


async def _chunks(stream: FileIO, file: LocalFile) -> AsyncIterator[bytes]:
    """Yield the content of a file in pieces, read off the event loop; as many bytes as it had when it was found."""
    left = file.size_bytes
    while left:
        chunk = await asyncio.to_thread(stream.read, min(_CHUNK_BYTES, left))
        if not chunk:
            raise LocalFileError(f"{file.source} became shorter while it was sent; upload it again.")
        left -= len(chunk)
        yield chunk
