"""Uploads files side by side as one version, and sends nothing that the dataset has already."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
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
    known = {} if plan.mode == "replace" else await _known_hashes(client, plan)
    session = await client.create_upload(CreateUploadRequest(dataset_id=plan.dataset_id, message=plan.message))
    sent: list[LocalFile] = []

    async def send(file: LocalFile) -> None:
        digest = await asyncio.to_thread(hash_file, file.source)
        if known.get(file.path) == digest:
            counter.was_there(file.path, file.size_bytes)
            return
        await with_retries(lambda: _send(client, session.id, file, digest, counter))
        sent.append(file)

    try:
        await for_each(plan.files, send, parallel=plan.parallel)
        if sent:
            version = await client.commit_upload(session.id, CommitUploadRequest(mode=plan.mode))
            return UploadResult(version, len(sent), len(plan.files) - len(sent), sum(file.size_bytes for file in sent))
    except BaseException:
        # What was sent expires at the server anyway; this only frees its place sooner.
        with contextlib.suppress(DatamateError):
            await client.abort_upload(session.id)
        raise
    await client.abort_upload(session.id)
    newest = await client.get_dataset(plan.dataset_id)
    return UploadResult(await client.get_version(plan.dataset_id, newest.version), 0, len(plan.files), 0)


async def _known_hashes(client: DataManagementClient, plan: UploadPlan) -> dict[str, str]:
    """Return the hashes of those files that the dataset has by the same path."""
    wanted = {file.path for file in plan.files}
    if (await client.get_dataset(plan.dataset_id)).version == 0:
        return {}
    files = client.iterate_files(plan.dataset_id)
    return {file.path: file.hash async for file in files if file.path in wanted}


async def _send(
    client: DataManagementClient, upload_id: str, file: LocalFile, digest: str, counter: TransferCounter
) -> None:
    moved = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal moved
        async for chunk in read_chunks(file):
            yield chunk
            moved += len(chunk)
            counter.moved(file.path, len(chunk))

    claims = content_claims(size_bytes=file.size_bytes, blake3=digest)
    try:
        await client.put_upload_file(upload_id, file.path, counted(), claims=claims)
    except BaseException:
        counter.moved(file.path, -moved)
        raise
    counter.finished(file.path)


async def read_chunks(file: LocalFile) -> AsyncIterator[bytes]:
    """Yield the content of a file in pieces, read off the event loop.

    Raises:
        LocalFileError: It cannot be read, or its size changed.
    """
    try:
        with await asyncio.to_thread(file.source.open, "rb", 0) as stream:
            left = file.size_bytes
            while left:
                chunk = await asyncio.to_thread(stream.read, min(_CHUNK_BYTES, left))
                if not chunk:
                    raise LocalFileError(f"{file.source} became shorter while it was sent; upload it again.")
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise LocalFileError(f"{file.source} cannot be read: {error.strerror}.") from error
