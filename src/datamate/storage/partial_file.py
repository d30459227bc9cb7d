"""A file on its way to become an object, and what the operating system's errors mean to the store."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datamate.core.errors import NotFoundError, StorageFullError, UnavailableError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}


class PartialFile:
    """A file on its way to become an object; a lock lets one thread discard it while another writes."""

    def __init__(self, path: Path) -> None:
        """Prepare `path`, which the first write makes."""
        self._path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._closed = False

    def write(self, data: bytes) -> None:
        """Append bytes."""
        with self._lock, os_errors(self._path.name):
            descriptor = self._opened()
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]

    @contextmanager
    def finished(self) -> Iterator[Path]:
        """Force the bytes to the disk and give the path to rename; nothing can be written or discarded afterwards."""
        with self._lock:
            descriptor = self._opened()
            os.fsync(descriptor)
            os.close(descriptor)
            self._descriptor = None
            try:
                yield self._path
            except BaseException:
                self._path.unlink(missing_ok=True)
                raise
            finally:
                self._closed = True

    def discard(self) -> None:
        """Remove the file unless it is finished."""
        with self._lock:
            if not self._closed and self._descriptor is not None:
                os.close(self._descriptor)
                self._path.unlink(missing_ok=True)
            self._descriptor, self._closed = None, True

    def _opened(self) -> int:
        if self._closed:
            raise UnavailableError("The write was abandoned.")
        if self._descriptor is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return self._descriptor


@contextmanager
def os_errors(name: str) -> Iterator[None]:
    """Turn what the operating system says into the errors of the store."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(
                "The disk that holds the objects is full; nothing of this object was kept. Free some space and repeat."
            ) from error
        if error.errno in _ABSENT:
            raise absent(name) from error
        raise UnavailableError(f"The object store failed on {name!r}: {error.strerror}.") from error


def absent(key: str) -> NotFoundError:
    """Return the error of a key without object."""
    return NotFoundError(f"There is no object {key!r} in the store.")
