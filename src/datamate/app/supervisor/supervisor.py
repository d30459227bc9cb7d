"""Starts processes stage by stage, keeps them running, and stops them in the reverse order."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from datamate.app.supervisor.child import Child
from datamate.app.supervisor.log_file import LogFile, LogPipe
from datamate.app.supervisor.report import Reporter
from datamate.app.supervisor.spec import ChildSpec, RestartPolicy


class Supervisor:
    """Keeps processes running until it is left; use it as an async context manager."""

    def __init__(
        self, logs: Path, reporter: Reporter, *, log_max_bytes: int, policy: RestartPolicy | None = None
    ) -> None:
        """Make a supervisor without processes.

        Args:
            logs: The folder of log files, one for each process name.
            reporter: Who is told what happens.
            log_max_bytes: Size at which a log file is put aside.
            policy: How soon a process that died is started again.
        """
        self.hurry = asyncio.Event()
        """Set it to end at once what is being stopped."""
        self._logs = logs
        self._reporter = reporter
        self._log_max_bytes = log_max_bytes
        self._policy = policy or RestartPolicy()
        self._stages: list[list[Child]] = []
        self._watches: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Return this supervisor."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        await self.stop()

    @property
    def children(self) -> list[Child]:
        """The processes it keeps running, in the order of their start."""
        return [child for stage in self._stages for child in stage]

    async def start(
        self, specs: Sequence[ChildSpec], *, what: Callable[[ChildSpec], str] = lambda _: "starting"
    ) -> None:
        """Start processes that do not depend on each other, and wait until all are ready.

        Args:
            specs: What to start.
            what: Says what a process does first, for the reporter.

        Raises:
            ProcessStartError: One did not become ready; the others are left to `stop`.
        """
        stage = [self._child(spec) for spec in specs]
        self._stages.append(stage)
        starts = [asyncio.create_task(self._start(child, what(child.spec))) for child in stage]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
            raise

    async def run(self, spec: ChildSpec) -> None:
        """Run a process that ends by itself, such as the migrations.

        Raises:
            ProcessStartError: It failed.
        """
        child = self._child(spec)
        self._reporter.starting(spec.name, "running")
        try:
            self._reporter.finished(spec.name, await child.finish())
        finally:
            await child.stop(self.hurry)

    async def stop(self) -> None:
        """Stop everything, the last stage first; the processes of a stage end together."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        self._watches.clear()
        while self._stages:
            await asyncio.gather(*(child.stop(self.hurry) for child in self._stages.pop()))

    async def _start(self, child: Child, what: str) -> None:
        self._reporter.starting(child.spec.name, what)
        self._reporter.ready(child.spec.name, await child.start())
        self._watches.append(asyncio.create_task(child.keep_running()))

    def _child(self, spec: ChildSpec) -> Child:
        log = LogFile(self._logs / f"{spec.name}.log", max_bytes=self._log_max_bytes)
        return Child(spec, LogPipe(log), self._reporter, self._policy)
