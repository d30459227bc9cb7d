"""What a process prints goes to its log file, which is put aside when it grows too large."""

import asyncio
import contextlib
import os
from collections import deque
from itertools import pairwise
from pathlib import Path

_KEPT_FILES = 2
_CHUNK_BYTES = 1 << 16
_TAIL_BYTES = 1 << 14


class LogFile:
    """An append-only file `name.log`; when it is full it becomes `name.log.1`, and that `name.log.2`."""

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        """Open the log at `path` for appending, readable by its owner only."""
        self.path = path
        self._max_bytes = max_bytes
        self._descriptor = self._open()
        self._mark = 0

    def mark(self) -> None:
        """Let `tail` begin here: what was written before belongs to an earlier process."""
        self._mark = os.fstat(self._descriptor).st_size

    def write(self, data: bytes) -> None:
        """Append `data`. A full disk loses it, rather than the platform."""
        with contextlib.suppress(OSError):
            os.write(self._descriptor, data)
            if data.endswith(b"\n") and os.fstat(self._descriptor).st_size >= self._max_bytes:
                self._rotate()

    def tail(self, lines: int) -> list[str]:
        """Return the last lines since the mark, fewer if there are not so many."""
        with self.path.open("rb") as file:
            file.seek(max(self._mark, self.path.stat().st_size - _TAIL_BYTES))
            return list(deque(file.read().decode("utf-8", "replace").splitlines(), maxlen=lines))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _rotate(self) -> None:
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{n}") for n in range(1, _KEPT_FILES + 1))]
        for newer, older in reversed(list(pairwise(names))):
            if newer.exists():
                newer.rename(older)
        os.close(self._descriptor)
        self._descriptor = self._open()
        self._mark = 0


class LogPipe:
    """A pipe whose other end processes print to; the event loop copies what comes to a log file."""

    def __init__(self, log: LogFile) -> None:
        """Start copying; to be made and closed on a running event loop."""
        self.log = log
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read_end, self.drain)

    def drain(self) -> None:
        """Copy all that was printed up to now."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._read_end, _CHUNK_BYTES):
                self.log.write(data)

    def close(self) -> None:
        """Copy the rest, and close pipe and log."""
        self._loop.remove_reader(self._read_end)
        self.drain()
        os.close(self._read_end)
        os.close(self.write_end)
        self.log.close()
