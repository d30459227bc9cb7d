"""The output of a run as one file of lines, appended to while the run goes on."""

import os
from pathlib import Path

from datamate.engine.files import append_file, writing_to


class LinesOutput:
    """One file of lines, to which the files of partitions are appended in order as they are committed.

    It becomes visible under its name by `publish`, whole.
    """

    def __init__(self, partial: Path) -> None:
        """Begin with an empty file."""
        self._partial = partial
        with writing_to(partial):
            self._file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)

    def append(self, part: Path) -> None:
        """Append a file; the disk writes it while the next partition is computed."""
        with writing_to(self._partial):
            append_file(self._file, part)

    def close(self) -> None:
        """Wait until all is on the disk."""
        with writing_to(self._partial):
            os.fdatasync(self._file)
            os.close(self._file)
