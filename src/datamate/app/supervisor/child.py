"""One process of the platform over all its lives: started, watched, started again, stopped."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Coroutine

from datamate.app.supervisor.errors import ProcessStartError
from datamate.app.supervisor.log_file import LogPipe
from datamate.app.supervisor.process import RunningProcess
from datamate.app.supervisor.report import Reporter
from datamate.app.supervisor.spec import ChildSpec, RestartPolicy
from datamate.core.errors import DatamateError
from datamate.platform.embedded.process_lock import take_over

_FIRST_PROBE_SECONDS = 0.01
_LONGEST_PROBE_SECONDS = 0.1
_HURRY_SECONDS = 2.0
_LEFTOVER_SECONDS = 10.0
_LOG_LINES_SHOWN = 12
# After so many failures in a row the restarts are said to be hopeless, though they go on.
_STUBBORN_FAILURES = 5


class Child:
    """Starts one process and keeps it running."""

    def __init__(self, spec: ChildSpec, pipe: LogPipe, reporter: Reporter, policy: RestartPolicy) -> None:
        """Take charge of the process of `spec`.

        Args:
            spec: What to start.
            pipe: Where it prints to; closed together with this object.
            reporter: Who is told.
            policy: How soon it is started again.
        """
        self.spec = spec
        self._pipe = pipe
        self._reporter = reporter
        self._policy = policy
        self._process: RunningProcess | None = None

    @property
    def pid(self) -> int | None:
        """The id of its process, or None while it has none."""
        return None if self._process is None or self._process.exit_code is not None else self._process.pid

    async def start(self) -> float:
        """Start the process and wait until it is ready; return the seconds that this took.

        Raises:
            ProcessStartError: It ended before, or did not become ready in time; the message has the end of its log.
        """
        begun = time.monotonic()
        process = await self._launch()
        if not await self._becomes_ready(process):
            raise ProcessStartError(self._failure(process))
        return time.monotonic() - begun

    async def finish(self) -> float:
        """Run a process that ends by itself; return the seconds that this took.

        Raises:
            ProcessStartError: It failed; the message has the end of its log.
        """
        begun = time.monotonic()
        process = await self._launch()
        if await process.wait() != 0:
            raise ProcessStartError(self._failure(process))
        return time.monotonic() - begun

    async def keep_running(self) -> None:
        """Start the process again whenever it ends, until cancelled."""
        failures = 0
        ready_since = time.monotonic()
        while True:
            reason = await self._ended()
            if time.monotonic() - ready_since >= self._policy.healthy_seconds:
                failures = 0
            delay = self._policy.delay_seconds(failures)
            failures += 1
            self._reporter.note(f"{self.spec.name} {reason}; starting it again in {delay:.1f} s")
            if failures == _STUBBORN_FAILURES:
                self._reporter.note(
                    f"{self.spec.name} ended {failures} times in a row. Trying goes on, at least every "
                    f"{self._policy.longest_seconds:.0f} s; its log is {self._pipe.log.path}"
                )
            await asyncio.sleep(delay)
            await self._start_again()
            ready_since = time.monotonic()

    async def stop(self, hurry: asyncio.Event) -> None:
        """End the process: asked first, then made to; at once when `hurry` is set."""
        process = self._process
        if process is not None and process.exit_code is None:
            process.send(self.spec.stop_signal)
            await _first_of(process.wait(), hurry.wait(), seconds=self.spec.stop_seconds)
            if process.exit_code is None:
                self._reporter.note(f"{self.spec.name} does not end; ending it by {self.spec.hurry_signal.name}")
                process.send(self.spec.hurry_signal)
            if not await process.ends_within(_HURRY_SECONDS):
                process.kill_group()
                await process.wait()
        self._pipe.close()

    async def _launch(self) -> RunningProcess:
        lock = await take_over(self.spec.lock, patience_seconds=_LEFTOVER_SECONDS, on_leftover=self._tell_leftovers)
        try:
            if self.spec.prepare is not None:
                await self.spec.prepare(lock)
            self._pipe.log.mark()
            self._process = RunningProcess(self.spec, lock=lock, output=self._pipe.write_end)
        finally:
            os.close(lock)  # from here on the process holds it
        return self._process

    async def _becomes_ready(self, process: RunningProcess) -> bool:
        """Wait for readiness; False if the process ends first or takes too long."""
        if self.spec.is_ready is None:
            return True
        deadline = time.monotonic() + self.spec.ready_seconds
        pause = _FIRST_PROBE_SECONDS
        while time.monotonic() < deadline:
            if await process.ends_within(pause):
                return False
            if await self.spec.is_ready(process.pid):
                return True
            pause = min(_LONGEST_PROBE_SECONDS, pause * 1.5)
        return False

    async def _ended(self) -> str:
        """Wait for the end of the process, if there is one, and say how it ended."""
        if self._process is None:
            return "could not be started"
        await self._process.wait()
        return _ending(self._process)

    async def _start_again(self) -> None:
        begun = time.monotonic()
        self._process = None
        try:
            process = await self._launch()
            if await self._becomes_ready(process):
                self._reporter.note(f"{self.spec.name} is back after {time.monotonic() - begun:.1f} s")
            elif process.exit_code is None:
                self._reporter.note(f"{self.spec.name} is not ready after {self.spec.ready_seconds:g} s; ending it")
                process.kill_group()
        except (DatamateError, OSError) as error:
            self._reporter.note(f"{self.spec.name} could not be started: {error}")

    def _failure(self, process: RunningProcess) -> str:
        self._pipe.drain()
        how = _ending(process) if process.exit_code is not None else f"is not ready after {self.spec.ready_seconds:g} s"
        tail = "\n  ".join(self._pipe.log.tail(_LOG_LINES_SHOWN)) or "(it printed nothing)"
        return f"{self.spec.name} {how}. The end of its log {self._pipe.log.path}:\n  {tail}"

    def _tell_leftovers(self, pids: list[int]) -> None:
        found = ", ".join(map(str, pids)) or "unknown"
        self._reporter.note(
            f"{self.spec.name}: waiting for leftovers of an earlier start (process ids: {found}) to end"
        )


def _ending(process: RunningProcess) -> str:
    code = process.exit_code or 0
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"


async def _first_of(*waits: Coroutine[object, object, object], seconds: float) -> None:
    """Wait until one of the waits ends, at most so long."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
