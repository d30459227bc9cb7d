"""Files of this machine: what to upload, under which path, and what is in them."""

import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from datamate.core.errors import FieldError, InvalidInputError

_MAPPED_FROM_BYTES = 1 << 20
"""Larger files are hashed through a memory map, on all cores."""


class LocalFileError(InvalidInputError):
    """A file of this machine cannot be used."""

    code = "local_file"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to upload.

    Attributes:
        source: Where it is.
        path: Its path in the dataset.
        size_bytes: Its size when it was found.
    """

    source: Path
    path: str
    size_bytes: int


def find_local_files(sources: Sequence[Path], *, into: str = "") -> list[LocalFile]:
    """Return the files to upload, sorted by their paths in the dataset.

    Args:
        sources: Files, which keep their names, and folders, whose files keep their paths inside the folder.
        into: Folder in the dataset to put them in; "" is its top.

    Raises:
        LocalFileError: A source does not exist or cannot be read, none holds a file, a name is not Unicode, or two
            files would have the same path.
    """
    prefix = f"{into.strip('/')}/" if into.strip("/") else ""
    found: dict[str, LocalFile] = {}
    for source, relative in _walk(sources):
        path = prefix + _dataset_path(relative)
        if path in found:
            raise LocalFileError(
                f"{found[path].source} and {source} would both be '{path}' in the dataset; upload them apart, with "
                "different folders to put them in."
            )
        found[path] = LocalFile(source, path, _size(source))
    if not found:
        raise LocalFileError(f"There is no file in {', '.join(str(source) for source in sources) or 'an empty list'}.")
    return [found[path] for path in sorted(found)]


def hash_file(source: Path) -> str:
    """Return the BLAKE3 of a file, 64 hexadecimal digits.

    Raises:
        LocalFileError: It cannot be read.
    """
    try:
        if _size(source) < _MAPPED_FROM_BYTES:
            return blake3(source.read_bytes()).hexdigest()
        return blake3(max_threads=blake3.AUTO).update_mmap(source).hexdigest()
    except OSError as error:
        raise _unreadable(source, error) from error


def _walk(sources: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each file with its path relative to its source; folders behind symbolic links are passed over."""
    for source in sources:
        if not source.is_dir():
            yield source, source.name
            continue
        for folder, _, names in os.walk(source, onerror=_raise_unreadable):
            for name in names:
                file = Path(folder, name)
                if file.is_file():
                    yield file, file.relative_to(source).as_posix()


def _dataset_path(relative: str) -> str:
    try:
        relative.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(relative).decode("utf-8", "replace")
        message = "its name is not valid Unicode; rename it"
        raise LocalFileError(f"{shown} cannot be uploaded: {message}.", errors=[FieldError(shown, message)]) from None
    return unicodedata.normalize("NFC", relative)


def _size(source: Path) -> int:
    try:
        return source.stat().st_size
    except OSError as error:
        raise _unreadable(source, error) from error


def _raise_unreadable(error: OSError) -> None:
    raise _unreadable(Path(error.filename), error) from error


def _unreadable(source: Path, error: OSError) -> LocalFileError:
    return LocalFileError(f"{source} cannot be read: {error.strerror}.")
