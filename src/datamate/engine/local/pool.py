"""The coordinator's side of the worker processes: starts them, gives them tasks, replaces those that die."""

import os
import selectors
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from datamate.core.errors import DatamateError
from datamate.engine.errors import WorkerCrashedError, WorkerFailedError
from datamate.engine.job import Job, Result, Task
from datamate.engine.local.channel import Channel, Done, Failed, Hello, Message, Progress
from datamate.engine.local.host import EXIT_REPORT, NEW_WORKER, PREPARE
from datamate.engine.local.launch import HostProcess

_MAX_FAILED_STARTS = 5
_MAX_DEATHS = 3
_EXIT_REPORT_SECONDS = 1.0
_TICK_SECONDS = 0.1
_HOST_KILLED = "the process it was started by was killed"


@dataclass(slots=True)
class Worker:
    """One worker process as the coordinator sees it.

    Attributes:
        channel: The way to it.
        host: The process it was forked from.
        pid: Its process id; 0 until it has said hello.
        task: What it is doing; None when it is free.
        progress: How far it is.
        peak_memory_bytes: The highest resident memory it has told of.
    """

    channel: Channel
    host: HostProcess
    pid: int = 0
    task: Task | None = None
    progress: Progress = field(default_factory=lambda: Progress(0, 0))
    peak_memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Died:
    """A worker ended without being told to; `reason` says how, in words."""

    reason: str

    def to_error(self) -> DatamateError:
        """Return an error that says so."""
        return WorkerCrashedError(f"A worker process died: {self.reason}.")


class WorkerPool:
    """Worker processes under one host process.

    Leaving the context ends them all, whatever they do: the files of unfinished attempts are nobody's.
    """

    def __init__(self, host: HostProcess | None = None) -> None:
        """Use a host process that was started ahead, or start one."""
        self.workers: list[Worker] = []
        self.replaced = 0
        self._released = False
        self._failed_starts = 0
        self._job: Job | None = None
        self._selector = selectors.DefaultSelector()
        self._exits: dict[int, int] = {}
        self._host = host or HostProcess()
        self.started = self._host.started

    def prepare(self, operators: Iterable[str]) -> None:
        """Have operators imported once, for all workers that are started after this."""
        with suppress(OSError):
            self._host.control.send(PREPARE + " ".join(operators).encode())

    def grow_to(self, count: int) -> None:
        """Start workers until there are `count`."""
        while len(self.workers) < count:
            self._start_worker()

    def set_job(self, job: Job) -> None:
        """Tell all workers, and those yet to come, what they work on."""
        self._job = job
        for worker in self.workers:
            self._send(worker, job)

    def free(self) -> list[Worker]:
        """Return the workers without a task."""
        return [worker for worker in self.workers if worker.task is None]

    def submit(self, worker: Worker, task: Task) -> None:
        """Give a free worker a task; that it died meanwhile shows in the next `events`."""
        worker.task = task
        worker.progress = Progress(0, 0)
        self._send(worker, task)

    def events(self, timeout_seconds: float) -> Iterator[tuple[Task | None, Done | Failed | Died]]:
        """Yield what ended within some time, each with its task; a worker that died has already been replaced."""
        for key, _ in self._selector.select(timeout_seconds):
            worker: Worker | None = key.data
            if worker is None:
                os.eventfd_read(key.fd)
                continue
            try:
                message = worker.channel.receive()
            except EOFError:
                task = worker.task
                yield task, self._replace(worker)
                continue
            event = self._take(worker, message)
            if event is not None:
                yield event

    @contextmanager
    def waking_on(self, descriptor: int) -> Iterator[None]:
        """Let `events` return early when somebody writes to an event descriptor."""
        self._selector.register(descriptor, selectors.EVENT_READ, None)
        try:
            yield
        finally:
            self._selector.unregister(descriptor)

    def wait_for_result(self, on_tick: Callable[[], None]) -> Result:
        """Return the result of the one task that runs.

        Args:
            on_tick: Called often meanwhile; may raise to stop.

        Raises:
            DatamateError: The task failed, with its own error.
            WorkerCrashedError: Every worker that was given it died.
        """
        deaths = 0
        while True:
            on_tick()
            for task, event in self.events(_TICK_SECONDS):
                if task is None:
                    continue
                if isinstance(event, Done):
                    return event.result
                deaths += 1
                if isinstance(event, Failed) or deaths == _MAX_DEATHS:
                    raise event.to_error()
                self.submit(self.free()[0], task)

    def release(self) -> None:
        """Let all processes end while the caller does something else; there are no more tasks."""
        for worker in self.workers:
            worker.channel.close()
        self._host.release()
        self._released = True

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End all processes."""
        self._selector.close()
        # A host that has not answered yet is busy importing and would keep us waiting.
        if error is None and any(worker.pid for worker in self.workers):
            self.release()
        if self._released:
            self._host.wait()
            return
        for worker in self.workers:
            worker.channel.close()
        self._host.kill()

    def _take(self, worker: Worker, message: Message) -> tuple[Task | None, Done | Failed] | None:
        if isinstance(message, Hello):
            worker.pid = message.pid
            self._failed_starts = 0
        elif isinstance(message, Progress):
            worker.progress = message
        elif isinstance(message, Done | Failed):
            task, worker.task = worker.task, None
            if isinstance(message, Done):
                worker.peak_memory_bytes = message.peak_memory_bytes
            return task, message
        return None

    def _send(self, worker: Worker, message: Message) -> None:
        try:
            worker.channel.send(message)
        except OSError:
            # It is dead, which `events` finds out.
            return

    def _start_worker(self) -> None:
        """Ask the host for a worker, and start the host again if it is gone.

        Raises:
            WorkerFailedError: Several in a row ended before they could begin.
        """
        ours, theirs = socket.socketpair()
        try:
            self._ask_host(theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        worker = Worker(Channel(ours), self._host)
        self.workers.append(worker)
        self._selector.register(worker.channel, selectors.EVENT_READ, worker)
        if self._job is not None:
            self._send(worker, self._job)

    def _ask_host(self, connection: socket.socket) -> None:
        while True:
            try:
                socket.send_fds(self._host.control, [NEW_WORKER], [connection.fileno()])
            except OSError:
                self._count_failed_start()
                self._restart_host()
            else:
                return

    def _count_failed_start(self) -> None:
        self._failed_starts += 1
        if self._failed_starts == _MAX_FAILED_STARTS:
            raise WorkerFailedError("Worker processes cannot start; the error of the first one is above.")

    def _restart_host(self) -> None:
        self._host.kill()
        self._host = HostProcess()

    def _replace(self, worker: Worker) -> Died:
        self._selector.unregister(worker.channel)
        worker.channel.close()
        self.workers.remove(worker)
        self.replaced += 1
        if not worker.pid:
            # It may have been killed from outside before it could begin, or be unable to.
            self._count_failed_start()
        reason = self._exit_reason(worker) if worker.pid else "it ended before it could begin"
        if not self._host.is_alive():
            # All workers are gone with their host; each of them comes here by itself.
            self._restart_host()
        self._start_worker()
        return Died(reason)

    def _exit_reason(self, worker: Worker) -> str:
        """Return how a worker ended, in words."""
        if worker.host is not self._host:
            # Another worker has already shown that their host is gone.
            return _HOST_KILLED
        control = self._host.control
        control.settimeout(_EXIT_REPORT_SECONDS)
        try:
            while worker.pid not in self._exits:
                report = control.recv(EXIT_REPORT.size)
                if len(report) < EXIT_REPORT.size:
                    return _HOST_KILLED
                ended, status = EXIT_REPORT.unpack(report)
                self._exits[ended] = status
        except TimeoutError:
            return "it ended without a trace"
        except ConnectionError:
            return _HOST_KILLED
        finally:
            control.settimeout(None)
        return _explain(os.waitstatus_to_exitcode(self._exits.pop(worker.pid)))


def _explain(code: int) -> str:
    if code == -signal.SIGKILL:
        return "killed by signal 9, as the system does when memory runs out"
    if code < 0:
        return f"killed by signal {-code} ({signal.strsignal(-code)})"
    return f"ended with exit code {code}"
