"""Tells people, and the supervisor's own log, what starts, stops and dies."""

from collections.abc import Iterable
from typing import Protocol

from datamate.app.supervisor.log_file import LogFile
from datamate.core.clock import utc_now


class Reporter(Protocol):
    """Somebody who is told what the supervisor does."""

    def starting(self, name: str, what: str) -> None:
        """Process `name` is being started; `what` says what it does first, such as making a data folder."""

    def ready(self, name: str, seconds: float) -> None:
        """Process `name` became ready so long after its start."""

    def finished(self, name: str, seconds: float) -> None:
        """Process `name`, which ends by itself, did its work in so long."""

    def note(self, text: str) -> None:
        """Something happened that a person should know."""


class SilentReporter:
    """Tells nobody."""

    def starting(self, name: str, what: str) -> None:
        """Do nothing."""

    def ready(self, name: str, seconds: float) -> None:
        """Do nothing."""

    def finished(self, name: str, seconds: float) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""


class LogReporter:
    """Writes one line for each thing that happens to a log file."""

    def __init__(self, log: LogFile) -> None:
        """Write to `log`, which the caller closes."""
        self._log = log

    def starting(self, name: str, what: str) -> None:
        """Write that a process is being started."""
        self.note(f"{name}: {what}")

    def ready(self, name: str, seconds: float) -> None:
        """Write that a process is ready."""
        self.note(f"{name}: ready after {seconds:.2f} s")

    def finished(self, name: str, seconds: float) -> None:
        """Write that a process did its work."""
        self.note(f"{name}: done after {seconds:.2f} s")

    def note(self, text: str) -> None:
        """Write a line."""
        self._log.write(f"{utc_now().isoformat(timespec='milliseconds')} {text}\n".encode())


class Reporters:
    """Tells several reporters the same."""

    def __init__(self, reporters: Iterable[Reporter]) -> None:
        """Tell `reporters`, in this order."""
        self._reporters = tuple(reporters)

    def starting(self, name: str, what: str) -> None:
        """Tell all."""
        for reporter in self._reporters:
            reporter.starting(name, what)

    def ready(self, name: str, seconds: float) -> None:
        """Tell all."""
        for reporter in self._reporters:
            reporter.ready(name, seconds)

    def finished(self, name: str, seconds: float) -> None:
        """Tell all."""
        for reporter in self._reporters:
            reporter.finished(name, seconds)

    def note(self, text: str) -> None:
        """Tell all."""
        for reporter in self._reporters:
            reporter.note(text)
