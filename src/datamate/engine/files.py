"""Writing files so that they are whole or absent, and a full disk is told as what it is."""

import errno
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from datamate.core.errors import DatamateError, StorageFullError
from datamate.engine.errors import OutputNotWritableError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_COPY_BYTES = 8 << 20
_SYNCED_AT_ONCE = 64


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn errors of writing below into errors that name `path`.

    Raises:
        StorageFullError: No space is left.
        OutputNotWritableError: Anything else went wrong.
    """
    try:
        yield
    except OSError as error:
        # Polars and Arrow raise OSError with the number in the text only.
        if error.errno in _FULL or any(f"os error {number})" in str(error) for number in _FULL):
            raise StorageFullError(
                f"No space is left on the disk of {path}; free some, then run again with --resume."
            ) from error
        raise OutputNotWritableError(f"{path} cannot be written: {error.strerror or error}.") from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that after a crash it is there whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    with writing_to(path):
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)


def sync_files(paths: Iterable[Path]) -> None:
    """Wait until the bytes of all these files that exist are on the disk.

    The disk is asked for all at once, so that the file system writes its own journal once for them and not once each.
    """
    errors: list[DatamateError] = []
    left = iter(paths)
    while group := list(islice(left, _SYNCED_AT_ONCE)):
        threads = [threading.Thread(target=_sync_file, args=(path, errors)) for path in group if path.exists()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def _sync_file(path: Path, errors: list[DatamateError]) -> None:
    try:
        with writing_to(path):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
    except DatamateError as error:
        errors.append(error)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_file(target: int, source: Path, ranges: Iterable[tuple[int, int]] | None = None) -> None:
    """Append a file to an open one without moving its bytes through this process.

    Args:
        target: A descriptor of the file that grows.
        source: The file to append.
        ranges: Where the parts to append begin and end; None appends all of it.
    """
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for start, end in [(0, os.fstat(descriptor).st_size)] if ranges is None else ranges:
            place = start
            while place < end:
                place += os.sendfile(target, descriptor, place, min(end - place, _COPY_BYTES))
    finally:
        os.close(descriptor)
