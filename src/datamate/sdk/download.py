"""Downloads files side by side, verified against their hashes, each complete or not there at all."""

import asyncio
import os
import tempfile
from contextlib import aclosing
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath

from blake3 import blake3

from datamate.clients.data_management import DataManagementClient
from datamate.contracts.data_management.files import File
from datamate.core.errors import DatamateError
from datamate.sdk.local_files import LocalFileError, hash_file
from datamate.sdk.transfer import OnProgress, TransferCounter, for_each, with_retries


class ContentDamagedError(DatamateError):
    """What came is not what the server has."""

    code = "content_damaged"
    retryable = True


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """What to fetch and where to put it.

    Attributes:
        dataset_id: The dataset.
        version: Which version.
        targets: For each file, where it goes.
        parallel: Files on their way at a time.
    """

    dataset_id: str
    version: int
    targets: list[tuple[File, Path]]
    parallel: int


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """What a download did.

    Attributes:
        version: The version that the files are of.
        fetched: Files that were fetched.
        skipped: Files that were there already, with the same content.
        bytes_fetched: Bytes of the files that were fetched.
    """

    version: int
    fetched: int
    skipped: int
    bytes_fetched: int


async def download(client: DataManagementClient, plan: DownloadPlan, on_progress: OnProgress | None) -> DownloadResult:
    """Fetch files; those that are there already with the same content are left alone.

    Raises:
        LocalFileError: A file cannot be written.
        ContentDamagedError: What came was damaged, several times over.
        DatamateError: What the server raised; files fetched until then stay.
    """
    size_bytes = sum(file.size_bytes for file, _ in plan.targets)
    counter = TransferCounter(files=len(plan.targets), size_bytes=size_bytes, on_progress=on_progress)
    fetched: list[File] = []

    async def fetch(item: tuple[File, Path]) -> None:
        file, target = item
        if await asyncio.to_thread(_is_there, file, target):
            counter.was_there(file.path, file.size_bytes)
            return
        await _Fetch(client, plan, file, target, counter).run()
        counter.finished(file.path)
        fetched.append(file)

    await for_each(plan.targets, fetch, parallel=plan.parallel)
    bytes_fetched = sum(file.size_bytes for file in fetched)
    return DownloadResult(plan.version, len(fetched), len(plan.targets) - len(fetched), bytes_fetched)


def place_below(folder: Path, path: str) -> Path:
    """Return where a file of a dataset goes below a folder.

    Raises:
        LocalFileError: The path would lead out of the folder.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or any(part in {"..", "."} or "\\" in part or "\0" in part for part in parts):
        raise LocalFileError(f"The server's path {path!r} leads out of {folder}; nothing was written there.")
    return folder.joinpath(*parts)


def _is_there(file: File, target: Path) -> bool:
    try:
        return target.is_file() and target.stat().st_size == file.size_bytes and hash_file(target) == file.hash
    except OSError as error:
        raise LocalFileError(f"{target} cannot be read: {error.strerror}.") from error


class _Fetch:
    """One file on its way; a broken connection goes on where it broke."""

    def __init__(
        self, client: DataManagementClient, plan: DownloadPlan, file: File, target: Path, counter: TransferCounter
    ) -> None:
        self._client, self._plan, self._file = client, plan, file
        self._target, self._counter = target, counter
        self._hasher = blake3()
        self._received = 0
        self._etag: str | None = None

    async def run(self) -> None:
        folder = self._target.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{self._target.name[:100]}.", suffix=".part")
        except OSError as error:
            raise LocalFileError(f"{self._target} cannot be written: {error.strerror}.") from error
        part = Path(name)
        try:
            with FileIO(descriptor, "wb") as stream:
                await with_retries(lambda: self._receive(stream))
            await asyncio.to_thread(_publish, part, self._target)
        except OSError as error:
            raise LocalFileError(f"{self._target} cannot be written: {error.strerror}.") from error
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def _receive(self, stream: FileIO) -> None:
        """Write what is missing, and check the whole."""
        if self._received < self._file.size_bytes or self._file.size_bytes == 0:
            async with self._client.open_content(
                self._plan.dataset_id,
                self._file.id,
                version=self._plan.version,
                start=self._received,
                etag=self._etag,
            ) as content:
                self._etag = content.etag or None
                if not content.is_part:
                    self._start_over(stream)
                async with aclosing(content.chunks()) as chunks:
                    async for chunk in chunks:
                        await asyncio.to_thread(self._write, stream, chunk)
                        self._counter.moved(self._file.path, len(chunk))
        if self._hasher.hexdigest() != self._file.hash:
            self._start_over(stream)
            raise ContentDamagedError(f"What came of '{self._file.path}' is not what the server has; try again.")

    def _write(self, stream: FileIO, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            rest = rest[stream.write(rest) or 0 :]
        self._hasher.update(chunk)
        self._received += len(chunk)

    def _start_over(self, stream: FileIO) -> None:
        self._counter.moved(self._file.path, -self._received)
        stream.seek(0)
        stream.truncate()
        self._hasher, self._received = blake3(), 0


def _publish(part: Path, target: Path) -> None:
    """Put a complete file in its place at once; mkstemp made it private, which a download should not be."""
    umask = os.umask(0)
    os.umask(umask)
    part.chmod(0o666 & ~umask)
    part.replace(target)
