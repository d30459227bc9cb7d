"""A platform of the demonstration's own: a temporary folder, a free port, and nothing left when it stops."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from os import geteuid, getpid
from pathlib import Path
from types import TracebackType
from typing import Self

from datamate.app.supervisor import launch
from datamate.config.environment import child_environment
from datamate.config.root import Settings
from datamate.config.services import GatewaySettings
from datamate.core.errors import DatamateError

_START_SECONDS = 120.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05
_LOG_LINES_SHOWN = 15


class PlatformStartError(DatamateError):
    """The platform of the demonstration did not start."""

    code = "platform_start"


@dataclass(frozen=True, slots=True)
class Door:
    """How to get in.

    Attributes:
        url: Address of the gateway.
        username: The administrator.
        password: Its password.
    """

    url: str
    username: str
    password: str = field(repr=False)


class OwnPlatform:
    """Runs `datamate up` on a temporary folder; use it as a context manager.

    Attributes:
        folder: The temporary folder.
        kept: Whether leaving the context leaves the platform running.
    """

    def __init__(self, *, keep: bool) -> None:
        """Describe a platform; nothing is started yet.

        Args:
            keep: Leave it running at the end, unless it did not start.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="datamate-demo-"))
        if geteuid() == 0:
            self.folder.chmod(0o711)  # the engines run under an id without rights then, which must pass through here
        self.kept = keep
        self._log = self.folder / "up.log"
        self._answer = self.folder / "up.json"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.kept or error is not None:
            self.kept = False
            self.stop()

    @property
    def process_id(self) -> int:
        """The process that stops the platform when it gets SIGTERM; 0 before the start."""
        return self._process.pid if self._process else 0

    def start(self, on_line: Callable[[str], None]) -> Door:
        """Start the platform and wait until it is ready.

        Args:
            on_line: Called with each line that the start prints.

        Raises:
            PlatformStartError: It ended, or was not ready in time; the message has the end of its log.
        """
        self._process = self._spawn()
        give_up_at = time.monotonic() + _START_SECONDS
        shown = 0
        while not (answer := self._answer.read_text("utf-8")).endswith("\n"):
            lines = self._log.read_text("utf-8", "replace").splitlines()
            for line in lines[shown:]:
                on_line(line.strip())
            shown = len(lines)
            if self._process.poll() is not None:
                raise PlatformStartError(f"The platform did not start.\n{self._end_of_log()}")
            if time.monotonic() > give_up_at:
                raise PlatformStartError(
                    f"The platform was not ready after {_START_SECONDS:.0f} s.\n{self._end_of_log()}"
                )
            time.sleep(_POLL_SECONDS)
        document = json.loads(answer)
        administrator = document["first_administrator"]
        return Door(document["url"], administrator["username"], administrator["password"])

    def stop(self) -> None:
        """Stop the platform and remove its folder; an interrupt meanwhile makes it hurry."""
        try:
            if self._process is not None:
                self._end(self._process)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        # What this process was configured with is about another platform.
        settings = Settings.model_construct(home=self.folder / "home", gateway=GatewaySettings(port=0))
        program: tuple[str, ...] = (sys.executable, "-P", "-m", "datamate", "up", "--json")
        if not self.kept:
            # Ends with this process, however that ends.
            tie = (signal.SIGTERM.value, getpid(), -1, -1)
            program = (sys.executable, "-I", "-S", launch.__file__, *map(str, tie), *program)
        self._answer.touch(mode=0o600)  # it will hold the administrator's password
        with self._log.open("wb") as log, self._answer.open("wb") as answer:
            return subprocess.Popen(  # noqa: S603 - our own program
                program,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=log,
                env=child_environment(settings),
                cwd=self.folder,
                start_new_session=True,
            )

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        give_up_at = time.monotonic() + _STOP_SECONDS
        process.terminate()
        while process.poll() is None and time.monotonic() < give_up_at:
            try:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(1)
            except KeyboardInterrupt:
                process.terminate()  # the second one makes it hurry
        if process.poll() is None:
            process.kill()
            process.wait()

    def _end_of_log(self) -> str:
        lines = self._log.read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-_LOG_LINES_SHOWN:])
