"""DATAMATE_HOME: its layout, its one owner at a time, and what is known about it from earlier starts."""

import os
from pathlib import Path

from datamate import __version__
from datamate.app.supervisor.errors import HomeFolderError, HomeInUseError
from datamate.platform.embedded.process_lock import try_lock

_PRIVATE = 0o700
# Started by root, engines run under an id without rights, which must pass through here to its own folders.
_PASSABLE = 0o711


class Home:
    """The folder of one installation.

    Attributes:
        path: Where it is.
        secrets: One file for each generated secret.
        logs: One file for each process.
        run: Sockets, and the locks of running processes.
        admin_password: The password of the first administrator, until somebody removes the file.
    """

    def __init__(self, path: Path) -> None:
        """Describe the folder at `path`; nothing is touched."""
        self.path = path
        self.secrets = path / "secrets"
        self.logs = path / "logs"
        self.run = path / "run"
        self.admin_password = path / "admin-password"
        self._lock = path / "lock"
        self._completed = path / "installed"
        self._descriptor: int | None = None

    @property
    def is_new(self) -> bool:
        """Whether no start has ever completed here."""
        return not self._completed.exists()

    @property
    def holder(self) -> int | None:
        """The process id of the running supervisor, as it wrote it; None if there is none."""
        if not self._lock.exists():
            return None
        try:
            descriptor = try_lock(self._lock)
        except OSError:  # it belongs to somebody else
            return None
        if descriptor is not None:
            os.close(descriptor)
            return None
        return self._recorded_holder()

    def acquire(self) -> None:
        """Make the folders and take the lock, for as long as this process lives or until `release`.

        Raises:
            HomeInUseError: Another supervisor has it.
            HomeFolderError: The folder cannot be made or belongs to somebody else.
        """
        try:
            self._make()
            descriptor = try_lock(self._lock)
        except OSError as error:
            raise HomeFolderError(
                f"DATAMATE_HOME {self.path} cannot be used: {error.strerror} ({error.filename}). "
                "Choose a folder that you may write to."
            ) from error
        if descriptor is None:
            raise HomeInUseError(
                f"DataMate already runs on {self.path} (process id {self._recorded_holder() or 'unknown'}). "
                "Stop it first, or choose another folder with DATAMATE_HOME."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def mark_installed(self) -> None:
        """Remember that a start has completed."""
        if self.is_new:
            self._completed.write_text(f"{__version__}\n", "utf-8")

    def _make(self) -> None:
        passable = _PASSABLE if os.geteuid() == 0 else _PRIVATE
        self.path.mkdir(mode=passable, parents=True, exist_ok=True)
        owner = self.path.stat().st_uid
        if owner != os.geteuid() and os.geteuid() != 0:
            raise HomeFolderError(
                f"DATAMATE_HOME {self.path} belongs to user id {owner}, and this is user id {os.geteuid()}. "
                "Start DataMate as that user, or choose another folder with DATAMATE_HOME."
            )
        for folder, mode in ((self.secrets, _PRIVATE), (self.logs, _PRIVATE), (self.run, passable)):
            folder.mkdir(mode=mode, exist_ok=True)
            folder.chmod(mode)  # whatever the umask, and whatever a backup made of it

    def _recorded_holder(self) -> int | None:
        text = self._lock.read_text("utf-8").strip()
        return int(text) if text.isdecimal() else None
