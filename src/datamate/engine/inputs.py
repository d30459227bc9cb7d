"""What a run reads: files with a name, a place, a size and an identity, opened for reads at any offset."""

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from datamate.engine.errors import UnreadableInputError
from datamate.engine.formats.kinds import FileKind, kind_of, supported_suffixes

RUN_FOLDER_SUFFIX = ".datamate-run"
"""Ends the name of the folder beside a run's output; never part of an input."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of the input.

    Attributes:
        name: What lineage calls it: its path inside the dataset.
        location: Where its bytes are: a path of this machine.
        size_bytes: Its size.
        identity: Changes whenever the bytes do: a hash, or size and time of the last change.
        kind: How it is read.
    """

    name: str
    location: str
    size_bytes: int
    identity: str
    kind: FileKind


class ByteReader(Protocol):
    """The bytes of one file; readers of formats use nothing else, so a file may lie anywhere."""

    size_bytes: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer only at the end of the file."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class LocalReader:
    """The bytes of a file of this machine."""

    def __init__(self, location: str) -> None:
        """Open the file.

        Raises:
            UnreadableInputError: It is gone, or may not be read.
        """
        self._location = location
        try:
            self._descriptor = os.open(location, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _unreadable(location, error) from error
        self.size_bytes = os.fstat(self._descriptor).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer only at the end of the file.

        Raises:
            UnreadableInputError: The disk fails.
        """
        try:
            data = os.pread(self._descriptor, length, offset)
            while len(data) < length:
                more = os.pread(self._descriptor, length - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise _unreadable(self._location, error) from error
        return data

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file."""
        os.close(self._descriptor)


def open_input(file: InputFile) -> ByteReader:
    """Open a file of the input.

    Raises:
        UnreadableInputError: It is gone, or may not be read.
    """
    return LocalReader(file.location)


def discover_inputs(dataset_path: str) -> tuple[InputFile, ...]:
    """Return the files behind a recipe's `dataset_path`, sorted by name.

    Args:
        dataset_path: A file, or a folder whose files are all read, except hidden ones and the folders of runs.

    Raises:
        UnreadableInputError: There is nothing there, or something that cannot be read.
    """
    path = Path(dataset_path)
    try:
        if path.is_dir():
            files = [_describe(found, found.relative_to(path).as_posix()) for found in sorted(_walk(path))]
        else:
            files = [_describe(path, path.name)]
    except OSError as error:
        raise _unreadable(error.filename or dataset_path, error) from error
    return check_inputs(files, dataset_path)


def check_inputs(files: Iterable[InputFile], dataset_path: str) -> tuple[InputFile, ...]:
    """Return the files if one run can read them all.

    Raises:
        UnreadableInputError: There are none, or tables with typed columns lie beside files without.
    """
    found = tuple(files)
    if not found:
        raise UnreadableInputError(f"{dataset_path} holds no file to read; put some there: {supported_suffixes()}.")
    parquet = [file.name for file in found if file.kind is FileKind.PARQUET]
    if parquet and len(parquet) < len(found):
        other = next(file.name for file in found if file.kind is not FileKind.PARQUET)
        raise UnreadableInputError(
            f"{dataset_path} mixes Parquet ({parquet[0]}) with other files ({other}); run them one after the other."
        )
    return found


def input_identity(files: Iterable[InputFile]) -> str:
    """Return a digest that changes when a file is added, removed, renamed or rewritten."""
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        for part in (file.name, str(file.size_bytes), file.identity, file.kind):
            digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def _walk(folder: Path) -> Iterable[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.endswith(RUN_FOLDER_SUFFIX):
                continue
            if entry.is_dir():
                yield from _walk(Path(entry.path))
            else:
                yield Path(entry.path)


def _describe(path: Path, name: str) -> InputFile:
    status = path.stat()
    kind = kind_of(path.name)
    if kind is None:
        raise UnreadableInputError(f"{path} is of no kind that can be read; readable are {supported_suffixes()}.")
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableInputError(f"{path} is no regular file; only files and folders can be read.")
    if not os.access(path, os.R_OK):
        raise UnreadableInputError(f"{path} may not be read by this user; change its permissions (chmod +r).")
    return InputFile(name, str(path.resolve()), status.st_size, str(status.st_mtime_ns), kind)


def _unreadable(location: str, error: OSError) -> UnreadableInputError:
    return UnreadableInputError(f"{location} cannot be read: {error.strerror}.")
