"""Starts the process that workers are forked from. Imports next to nothing: it is the first thing a run does."""

import os
import select
import signal
import socket
import sys
import time

CONTROL_DESCRIPTOR = 3
_STOP_SECONDS = 2.0


class HostProcess:
    """The process that workers are forked from; it spends its first fifth of a second importing.

    Attributes:
        pid: Its process id.
        started: When it was started, by `time.perf_counter`.
        control: A socket that carries whole messages to it: operators to import, a descriptor for each new worker.
    """

    def __init__(self) -> None:
        """Start it."""
        self.started = time.perf_counter()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Not by subprocess, whose import alone would take longer than this. -P: the working folder is no place to
        # import from.
        self.pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-c", "from datamate.engine.local.host import main; main()"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), CONTROL_DESCRIPTOR),
            ],
            setpgroup=0,
        )
        theirs.close()

    def is_alive(self) -> bool:
        """Tell whether it runs."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def release(self) -> None:
        """Let it end its workers and itself; `wait` waits for that."""
        self.control.close()

    def wait(self) -> None:
        """Wait until it has ended after `release`; so its processor time is counted as ours."""
        ended = os.pidfd_open(self.pid)
        try:
            if not select.select([ended], [], [], _STOP_SECONDS)[0]:
                os.kill(self.pid, signal.SIGKILL)
        finally:
            os.close(ended)
        os.waitpid(self.pid, 0)

    def kill(self) -> None:
        """End it at once; the kernel then kills its workers."""
        self.control.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


# At most one, from the start of the process until the run takes it.
_ahead: list[HostProcess] = []


def start_ahead() -> None:
    """Start a host before it is known what for, while everything else is still being imported."""
    _ahead.append(HostProcess())


def take_host() -> HostProcess:
    """Return the host that was started ahead, or start one."""
    return _ahead.pop() if _ahead else HostProcess()
