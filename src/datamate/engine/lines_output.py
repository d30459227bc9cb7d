"""The output of a run as one file of lines, appended to while the run goes on."""

import os
import threading
from contextlib import suppress
from pathlib import Path

from datamate.engine.files import append_file, writing_to
from datamate.engine.job import AttemptFiles
from datamate.engine.line_ranges import LineRanges


class LinesOutput:
    """One file of lines, to which the files of partitions are appended in order as they are committed.

    It becomes visible under its name by `publish`, whole.
    """

    def __init__(self, partial: Path) -> None:
        """Begin with an empty file."""
        self._partial = partial
        with writing_to(partial):
            self._sync: threading.Thread | None = None
            self._file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)

    def append(self, part: AttemptFiles) -> None:
        """Append the rows of an attempt; the disk writes them while the next partition is computed."""
        source, ranges = part.lines, None
        if not source.exists():
            reference = LineRanges.read(part.ranges)
            source, ranges = AttemptFiles(part.folder, reference.source).lines, reference.ranges
        with writing_to(self._partial):
            append_file(self._file, source, ranges)
        if self._sync is None or not self._sync.is_alive():
            self._sync = threading.Thread(target=self._start_sync, daemon=True)
            self._sync.start()

    def close(self) -> None:
        """Wait until all is on the disk."""
        if self._sync is not None:
            self._sync.join()
        with writing_to(self._partial):
            os.fdatasync(self._file)
            os.close(self._file)

    def _start_sync(self) -> None:
        # An error shows again in `close`, where somebody can hear it.
        with suppress(OSError):
            os.fdatasync(self._file)
