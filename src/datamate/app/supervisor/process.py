"""A started process: told from others for certain, waited for without threads, and ended with all its descendants."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from datamate.app.supervisor.spec import ChildSpec

_LAUNCHER = str(Path(__file__).with_name("launch.py"))
_POLL_SECONDS = 0.1


class RunningProcess:
    """The process of a `ChildSpec`, leader of a session of its own."""

    def __init__(self, spec: ChildSpec, *, lock: int, output: int) -> None:
        """Start the process.

        Args:
            spec: What to start.
            lock: A descriptor that the process and its descendants inherit.
            output: Where standard output and standard error go.
        """
        account = spec.account
        uid, gid = (-1, -1) if account is None else (account.uid, account.gid)
        launcher = (sys.executable, "-I", "-S", _LAUNCHER)
        arguments = (spec.death_signal.value, os.getpid(), uid, gid)
        stdin = _filled_pipe(spec.stdin or "")
        try:
            self._popen = subprocess.Popen(  # noqa: S603 - our own programs
                (*launcher, *map(str, arguments), *spec.argv),
                cwd=spec.folder,
                env=spec.environment,
                stdin=stdin,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
                start_new_session=True,
                umask=0o077,
            )
        finally:
            os.close(stdin)
        self._exited = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._watch()

    @property
    def pid(self) -> int:
        """Its process id, also that of its session and process group."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """Its exit code, minus the signal that killed it, or None while it runs."""
        return self._popen.returncode

    async def wait(self) -> int:
        """Wait for its end and return its exit code, or minus the signal that killed it."""
        await self._exited.wait()
        return self._popen.returncode

    async def ends_within(self, seconds: float) -> bool:
        """Wait at most so long for its end; tell whether it came."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), seconds)
        return self._exited.is_set()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process alone; nothing happens if it ended."""
        if not self._exited.is_set():  # until then it is a zombie at worst, so that the number is still its own
            os.kill(self.pid, number)

    def kill_group(self) -> None:
        """Kill it and all descendants that stayed in its group; nothing happens if it ended."""
        if not self._exited.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _watch(self) -> None:
        try:
            self._descriptor = os.pidfd_open(self.pid)
        except (AttributeError, OSError):  # not Linux, or one older than 5.3
            self._loop.call_later(_POLL_SECONDS, self._poll)
        else:
            self._loop.add_reader(self._descriptor, self._on_exit)

    def _poll(self) -> None:
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self._loop.call_later(_POLL_SECONDS, self._poll)
        else:
            self._reap()

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._reap()

    def _reap(self) -> None:
        """End what it left behind, while its number cannot be given to another group, and take its exit code."""
        self.kill_group()
        self._popen.wait()
        self._exited.set()


def _filled_pipe(text: str) -> int:
    """Return the reading end of a pipe that holds `text`, which must fit the pipe's 64 KiB."""
    read_end, write_end = os.pipe()
    os.write(write_end, text.encode())
    os.close(write_end)
    return read_end
