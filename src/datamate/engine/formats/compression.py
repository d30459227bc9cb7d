"""Reads the bytes of a file from front to back: a range of it, or what is inside when it is compressed."""

import gzip
import io
import zlib
from typing import Protocol

from datamate.engine.errors import UnreadableInputError
from datamate.engine.formats.kinds import compression_of
from datamate.engine.inputs import ByteReader, InputFile


class ByteSource(Protocol):
    """Bytes from front to back."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, at least one unless the end is reached; all that are left if negative."""


class RangeSource(io.RawIOBase):
    """A range of a file as a stream; seekable, so that whole files can be given to libraries."""

    def __init__(self, reader: ByteReader, start: int, end: int) -> None:
        """Begin at `start`; nothing at or after `end` is read."""
        super().__init__()
        self._reader, self._start, self._end, self._place = reader, start, end, start

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes."""
        left = self._end - self._place
        data = self._reader.read_at(self._place, left if size < 0 else min(size, left))
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to another place of the range."""
        origin = {io.SEEK_SET: self._start, io.SEEK_CUR: self._place, io.SEEK_END: self._end}[whence]
        self._place = min(max(origin + offset, self._start), self._end)
        return self.tell()

    def tell(self) -> int:
        """Return the place in the range."""
        return self._place - self._start

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be moved in."""
        return True


def open_source(file: InputFile, reader: ByteReader, start: int, end: int) -> ByteSource:
    """Return the bytes of a range of a file, or all of what is inside a compressed one."""
    source = RangeSource(reader, start, end)
    compression = compression_of(file.name)
    if compression is None:
        return source
    if compression == "gzip":
        return _Inflated(gzip.GzipFile(fileobj=source), file.name, compression)
    # PyArrow takes a tenth of a second to import; only zstd files need it.
    import pyarrow as pa

    return _Inflated(pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd"), file.name, compression)


class _Inflated:
    """What is inside a compressed file."""

    def __init__(self, stream: ByteSource, name: str, compression: str) -> None:
        self._stream, self._name, self._compression = stream, name, compression

    def read(self, size: int = -1, /) -> bytes:
        try:
            return bytes(self._stream.read(size) if size >= 0 else self._stream.read())
        except (OSError, EOFError, zlib.error) as error:
            raise UnreadableInputError(
                f"{self._name} is not valid {self._compression}, or is cut off: {error}. Copy it again."
            ) from error
