"""The folder of a run beside its output: attempts and commits while it works, the account of every row afterwards."""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from datamate.core.errors import StorageFullError
from datamate.engine.accounting import RunSummary
from datamate.engine.checkpoints import is_locked
from datamate.engine.errors import OutputExistsError, OutputNotWritableError, RunConflictError
from datamate.engine.files import append_file, sync_folder, write_whole, writing_to
from datamate.engine.inputs import RUN_FOLDER_SUFFIX, InputFile
from datamate.engine.job import AttemptFiles
from datamate.engine.partitions import Partition

_SUFFIXES = (".jsonl", ".parquet")
_SUMMARY, _MANIFEST, _JOURNAL = "summary.json", "manifest.json", "commits.jsonl"


class Workspace:
    """The output of a run and the folder of its details.

    Attributes:
        output: The output file.
        folder: `<output>.datamate-run`.
        parts: Folder of the attempt files, inside it.
    """

    def __init__(self, export_path: str) -> None:
        """Name the places; nothing is made yet.

        Raises:
            OutputNotWritableError: The output's suffix is not known.
        """
        self.output = Path(export_path).absolute()
        if self.output.suffix not in _SUFFIXES:
            raise OutputNotWritableError(
                f"export_path: {export_path} ends with neither {' nor '.join(_SUFFIXES)}, which choose the format."
            )
        self.folder = self.output.with_name(f"{self.output.name}{RUN_FOLDER_SUFFIX}")
        self.parts = self.folder / "parts"

    @property
    def as_lines(self) -> bool:
        """Whether the output is lines of JSON, not Parquet."""
        return self.output.suffix == ".jsonl"

    @property
    def partial_output(self) -> Path:
        """The output while it is written."""
        return self.folder / f"output{self.output.suffix}"

    def check(self, files: Sequence[InputFile], dataset_path: str | None) -> None:
        """Check that the output can be written, before any data moves.

        Raises:
            OutputNotWritableError: The place cannot be written, or is part of the input.
            StorageFullError: The disk has less room than the input takes.
        """
        if self.output.is_dir():
            raise OutputNotWritableError(f"export_path: {self.output} is a folder; name a file in it.")
        if dataset_path is not None and self.output.resolve().is_relative_to(Path(dataset_path).resolve()):
            raise OutputNotWritableError(f"export_path: {self.output} lies inside the input; write it elsewhere.")
        folder = next(parent for parent in self.output.parents if parent.exists())
        if not folder.is_dir():
            raise OutputNotWritableError(f"export_path: {folder} is a file, so nothing can be written below it.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutputNotWritableError(f"export_path: {folder} may not be written by this user.")
        needed = sum(file.size_bytes for file in files)
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise StorageFullError(
                f"The disk of {folder} has {free / 1e6:,.0f} MB free, but the input takes {needed / 1e6:,.0f} MB; "
                "free some, or write the output to another disk."
            )

    def check_free(self, *, overwrite: bool, resume: bool) -> None:
        """Check that nothing is in the way, or that it may be put away.

        Raises:
            OutputExistsError: The output exists, and neither overwriting nor resuming was asked for.
            RunConflictError: An unfinished run is in the way, or one that still works.
        """
        if self.output.exists() and not (overwrite or resume):
            raise OutputExistsError(f"{self.output} exists; add --overwrite to replace it, or change export_path.")
        if resume:
            return
        if is_locked(self.folder):
            raise RunConflictError(f"Another process is working on {self.folder}; wait for it or stop it.")
        if self.is_unfinished() and not overwrite:
            raise RunConflictError(
                f"{self.folder} holds an unfinished run; add --resume to go on with it, or --overwrite to start over."
            )

    def open(self, *, resume: bool) -> None:
        """Make the folder, empty unless an earlier run is resumed."""
        if not resume:
            shutil.rmtree(self.folder, ignore_errors=True)
        with writing_to(self.folder):
            self.parts.mkdir(parents=True, exist_ok=True)

    def is_unfinished(self) -> bool:
        """Tell whether an earlier run left commits here and no summary."""
        return (self.folder / _JOURNAL).exists() and not (self.folder / _SUMMARY).exists()

    def finished_summary(self, key: str) -> RunSummary | None:
        """Return the summary of a run with this key if it is finished and its output still there."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            manifest = json.loads((self.folder / _MANIFEST).read_text())
            if manifest["key"] == key and self.output.exists():
                return RunSummary.from_json(json.loads((self.folder / _SUMMARY).read_text()))
        return None

    def fix_partitions(self, key: str, partitions: tuple[Partition, ...]) -> tuple[Partition, ...]:
        """Return the partitions that an earlier run with this key fixed, or else fix these."""
        path = self.folder / _MANIFEST
        with suppress(OSError, ValueError, KeyError, TypeError):
            manifest = json.loads(path.read_text())
            if manifest["key"] == key:
                return tuple(Partition(**item) for item in manifest["partitions"])
        record = {"key": key, "partitions": [asdict(partition) for partition in partitions]}
        write_whole(path, json.dumps(record).encode())
        return partitions

    def publish(self, summary: RunSummary, committed: Iterable[AttemptFiles]) -> None:
        """Put the account of every row in its place, then the output, in one rename."""
        rows = self.folder / "rows"
        with writing_to(self.folder):
            # What is there was left by an earlier attempt to publish.
            shutil.rmtree(rows, ignore_errors=True)
            rows.mkdir()
            quarantine = os.open(self.folder / "quarantine.jsonl", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            try:
                for files in committed:
                    if files.quarantine.exists():
                        append_file(quarantine, files.quarantine)
                    if files.fates.exists():
                        os.link(files.fates, rows / f"{files.base}.parquet")
                os.fdatasync(quarantine)
            finally:
                os.close(quarantine)
            self.partial_output.replace(self.output)
            sync_folder(self.output.parent)
        write_whole(self.folder / _SUMMARY, json.dumps(summary.to_json(), indent=1).encode())
        shutil.rmtree(self.parts, ignore_errors=True)
