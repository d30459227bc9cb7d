"""Objects as files of one folder: the blocking half of the local backend."""

import errno
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from datamate.core.errors import ConfigurationError, InvalidInputError
from datamate.storage.keys import check_key, check_prefix
from datamate.storage.partial_file import PartialFile, absent, os_errors
from datamate.storage.store import BLOCK_BYTES, ObjectInfo

_PARTIAL = ".partial"
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_RENAME_ATTEMPTS = 20


class LocalFiles:
    """A folder of objects; every method blocks, none shares state, so any thread may call any."""

    def __init__(self, root: str) -> None:
        """Use `root`, which is made by the first write."""
        self._root = Path(root)

    def path(self, key: str) -> Path:
        """Return the file of an object."""
        return self._root.joinpath(*check_key(key).split("/"))

    def begin(self) -> PartialFile:
        """Return a new hidden file to write to; it becomes an object by `commit`."""
        return PartialFile(self._root / _PARTIAL / uuid4().hex)

    def commit(self, partial: PartialFile, key: str) -> None:
        """Make a written file the object `key`, durably, in place of an older one."""
        with os_errors(key), partial.finished() as written:
            self._publish(key, written.replace)

    def commit_if_absent(self, partial: PartialFile, key: str) -> bool:
        """Make a written file the object `key` unless there is one; return whether it did."""
        with os_errors(key), partial.finished() as written:
            try:
                self._publish(key, lambda target: target.hardlink_to(written))
            except FileExistsError:
                return False
            finally:
                written.unlink()
        return True

    def copy(self, source: str, target: str) -> None:
        """Give an object a second name; its bytes are shared, which is safe because objects never change."""
        origin = self.path(source)
        link = self._root / _PARTIAL / uuid4().hex
        with os_errors(source):
            self._make_folder(link.parent)
            _link_or_copy(origin, link)
        with os_errors(target):
            try:
                self._publish(target, link.replace)
            finally:
                # POSIX leaves both names when they already are the same file.
                link.unlink(missing_ok=True)

    def move(self, source: str, target: str) -> None:
        """Rename an object."""
        origin = self.path(source)
        with os_errors(source):
            origin.lstat()
        with os_errors(target):
            self._publish(target, origin.replace)
        self._prune(origin.parent)

    def open(self, key: str) -> int:
        """Return a descriptor for reading; the caller closes it."""
        with os_errors(key):
            # Links are never followed: one inside the folder could lead out of it.
            return os.open(self.path(key), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def read(self, key: str, start: int, end: int | None) -> bytes:
        """Return a range of an object, cut at its end."""
        descriptor = self.open(key)
        try:
            with os_errors(key):
                size = os.fstat(descriptor).st_size
                stop = size if end is None else min(end, size)
                return read_exactly(descriptor, start, stop - start)
        finally:
            os.close(descriptor)

    def head(self, key: str) -> ObjectInfo:
        """Return size and time of an object."""
        with os_errors(key):
            found = self.path(key).lstat()
        if not stat.S_ISREG(found.st_mode):
            raise absent(key)
        return _info(key, found)

    def delete(self, key: str) -> None:
        """Remove an object, and folders that it leaves empty."""
        path = self.path(key)
        with os_errors(key), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        self._prune(path.parent)

    def walk(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects below a folder; those that vanish meanwhile are left out."""
        pending = [check_prefix(prefix)]
        while pending:
            folder = pending.pop()
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self._root / folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(f"{folder}{entry.name}/")
                    elif entry.is_file(follow_symlinks=False):
                        with suppress(FileNotFoundError):
                            yield _info(folder + entry.name, entry.stat(follow_symlinks=False))

    def check(self) -> None:
        """Return if the folder can be written."""
        try:
            self._make_folder(self._root / _PARTIAL)
            writable = os.access(self._root / _PARTIAL, os.W_OK | os.X_OK)
        except OSError as error:
            raise ConfigurationError(f"The object folder {self._root} cannot be made: {error.strerror}.") from error
        if not writable:
            raise ConfigurationError(f"The object folder {self._root} cannot be written by this process.")

    def discard_partial_writes(self, older_than_seconds: float) -> int:
        """Remove hidden files that nobody has written to for so long."""
        limit = time.time() - older_than_seconds
        removed = 0
        with suppress(FileNotFoundError), os.scandir(self._root / _PARTIAL) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < limit:
                        Path(entry.path).unlink()
                        removed += 1
        return removed

    def _publish(self, key: str, place: Callable[[Path], object]) -> None:
        """Let `place` put a file where the object belongs and make its name durable."""
        target = self.path(key)
        for attempt in range(_RENAME_ATTEMPTS):
            try:
                self._make_folder(target.parent)
                place(target)
            except FileNotFoundError:
                # Another thread's delete pruned the folder meanwhile.
                if attempt == _RENAME_ATTEMPTS - 1:
                    raise
            except (IsADirectoryError, NotADirectoryError):
                raise InvalidInputError(f"{key!r} cannot be an object: it is a folder, or below an object.") from None
            else:
                _sync_folder(target.parent)
                return

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
                _sync_folder(path.parent)

    def _prune(self, folder: Path) -> None:
        """Remove empty folders up to the root; one that another thread just filled stays."""
        with suppress(OSError):
            while folder != self._root:
                folder.rmdir()
                folder = folder.parent


def read_exactly(descriptor: int, start: int, length: int) -> bytes:
    """Return `length` bytes from `start`, fewer only at the end of the file."""
    pieces = []
    while length > 0 and (piece := os.pread(descriptor, min(length, 64 * BLOCK_BYTES), start)):
        pieces.append(piece)
        start, length = start + len(piece), length - len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _link_or_copy(origin: Path, link: Path) -> None:
    try:
        link.hardlink_to(origin)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(origin, link, follow_symlinks=False)
        with link.open("rb") as copied:
            os.fsync(copied.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the names inside a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _info(key: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))
