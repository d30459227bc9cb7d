"""How far an upload or a download of many files is, and how often a file is tried."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from datamate.core.errors import DatamateError

ItemT = TypeVar("ItemT")

ATTEMPTS_PER_FILE = 4
_FIRST_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """How far a transfer is.

    Attributes:
        files_done: Files finished, those that were there already included.
        files_total: Files in all.
        bytes_done: Bytes finished, those of files that were there already included.
        bytes_total: Bytes in all.
        path: The file that moved last.
    """

    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    path: str


OnProgress = Callable[[TransferProgress], None]
"""Called often, from the thread of the client; it should return soon."""


class TransferCounter:
    """Adds up what several transfers at a time have moved, and tells whoever asked."""

    def __init__(self, *, files: int, size_bytes: int, on_progress: OnProgress | None) -> None:
        self._files_total, self._bytes_total = files, size_bytes
        self._files_done = self._bytes_done = 0
        self._on_progress = on_progress

    def moved(self, path: str, size_bytes: int) -> None:
        """Count bytes of a file; negative ones take back what a failed attempt counted."""
        self._bytes_done += size_bytes
        self._tell(path)

    def finished(self, path: str) -> None:
        """Count a file."""
        self._files_done += 1
        self._tell(path)

    def was_there(self, path: str, size_bytes: int) -> None:
        """Count a file that need not be moved."""
        self._files_done += 1
        self._bytes_done += size_bytes
        self._tell(path)

    def _tell(self, path: str) -> None:
        if self._on_progress is not None:
            self._on_progress(
                TransferProgress(self._files_done, self._files_total, self._bytes_done, self._bytes_total, path)
            )


async def for_each(items: Iterable[ItemT], work: Callable[[ItemT], Awaitable[None]], *, parallel: int) -> None:
    """Do some work on every item, several at a time; the first error cancels the rest and is raised."""
    iterator = iter(items)

    async def worker() -> None:
        for item in iterator:
            await work(item)

    workers = [asyncio.create_task(worker()) for _ in range(parallel)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def with_retries(work: Callable[[], Awaitable[None]]) -> None:
    """Do some work, again after a pause when it fails in a way that may pass.

    Raises:
        DatamateError: It failed for good, or `ATTEMPTS_PER_FILE` times.
    """
    for attempt in range(1, ATTEMPTS_PER_FILE + 1):
        try:
            return await work()
        except DatamateError as error:
            if not error.retryable or attempt == ATTEMPTS_PER_FILE:
                raise
        await asyncio.sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
    return None
