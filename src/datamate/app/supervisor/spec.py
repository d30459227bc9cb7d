"""What the supervisor must know to start, watch and stop one process."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from datamate.platform.embedded.account import EngineAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """One process of the platform.

    Attributes:
        name: What people call it; also the name of its log file.
        argv: The absolute path of the program, and its arguments.
        environment: Its whole environment.
        folder: Its working folder.
        lock: A file that it holds locked while it lives, by which leftovers of an earlier start are found.
        is_ready: Tells, given its process id, whether it does its work now; None if it is ready as soon as it runs.
        prepare: Called before every start with a descriptor that holds `lock`.
        account: Who it becomes, or None to stay.
        stdin: What it reads from its standard input, at most 64 KiB.
        stop_signal: Asks it to end.
        hurry_signal: Makes it end now, after `stop_seconds` or when the user insists.
        death_signal: What it gets from the kernel when the supervisor dies.
        stop_seconds: How long it may take to end when asked.
        ready_seconds: How long it may take to become ready.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    lock: Path
    is_ready: Callable[[int], Awaitable[bool]] | None = None
    prepare: Callable[[int], Awaitable[None]] | None = None
    account: EngineAccount | None = None
    stdin: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    hurry_signal: signal.Signals = signal.SIGKILL
    death_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 10.0
    ready_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How soon a process that died is started again; it never gives up.

    Attributes:
        first_seconds: The wait after the first death; each further one doubles it.
        longest_seconds: The longest wait.
        healthy_seconds: A process that was ready this long starts over with the first wait.
    """

    first_seconds: float = 0.1
    longest_seconds: float = 30.0
    healthy_seconds: float = 60.0

    def delay_seconds(self, failures: int) -> float:
        """Return how long to wait after `failures` deaths in a row (0 for the first)."""
        return min(self.longest_seconds, self.first_seconds * 2.0 ** min(failures, 32))
