"""A worker process: one task after another until the coordinator is gone. Importing this brings in all the engine."""

import os
import resource
import socket
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from typing import NoReturn

import polars as pl

from datamate.core.errors import DatamateError
from datamate.engine.accounting import PartitionCounts
from datamate.engine.dedup import find_duplicates
from datamate.engine.errors import WorkerFailedError
from datamate.engine.job import AttemptFiles, Job, JoinTask, PlanTask, Result, Task, TransformTask
from datamate.engine.local.channel import Channel, Done, Failed, Hello, Progress
from datamate.engine.planner import BuiltOperator, build_operators, plan_recipe
from datamate.engine.transform import transform
from datamate.operators.errors import UnknownOperatorError
from datamate.operators.registry import get_operator_type

_REPORT_SECONDS = 0.1
_TRACEBACK_LINES = 12


def work(connection: socket.socket) -> NoReturn:
    """Do what arrives, and end the process without Python's own clean-up, which a forked copy need not do."""
    channel = Channel(connection)
    try:
        channel.send(Hello(os.getpid()))
        session = _Session(channel)
        while True:
            session.answer(channel.receive())
    except (EOFError, OSError):
        os._exit(0)


def import_operators(names: Iterable[str]) -> None:
    """Import the modules of operators; a name that is none is told when the recipe is planned."""
    for name in names:
        with suppress(UnknownOperatorError):
            get_operator_type(name)


class _Session:
    """What a worker remembers between tasks."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._job: Job | None = None
        self._operators: tuple[BuiltOperator, ...] = ()
        self._rows = self._bytes = 0
        self._reported = time.monotonic()

    def answer(self, message: object) -> None:
        """Take over a job, or run a task and send its result."""
        if isinstance(message, Job):
            self._job = message
            self._operators = build_operators(message.recipe)
            return
        try:
            result = self._run(message)  # type: ignore[arg-type]  # the coordinator sends jobs and tasks only
        except DatamateError as error:
            self._channel.send(Failed.of(error))
        # The boundary of the process: whatever happened is reported, with where it happened.
        except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001
            self._channel.send(Failed.of(_unexpected(message, error)))
        else:
            peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            self._channel.send(Done(result, peak_kib * 1024))

    def _run(self, task: Task) -> Result:
        if isinstance(task, PlanTask):
            return plan_recipe(task.recipe, task.files)
        job = self._job
        if job is None:
            raise WorkerFailedError("A task came before its job.")
        if isinstance(task, TransformTask):
            self._rows = self._bytes = 0
            stage = job.plan.stages[task.stage]
            operators = [self._operators[operator.place] for operator in stage.operators]
            return transform(job, task, operators, self._report)
        if isinstance(task, JoinTask):
            sources = [AttemptFiles(job.parts, base).keys for base in task.sources]
            target = job.files_of(task).duplicates
            find_duplicates(sources, target, bucket=task.bucket, buckets=task.buckets)
            return PartitionCounts()
        # PyArrow takes a tenth of a second to import, which runs that write JSON need not wait for.
        from datamate.engine.assemble_parquet import assemble_parquet

        assemble_parquet(job, task)
        return PartitionCounts()

    def _report(self, rows: int, size: int) -> None:
        self._rows += rows
        self._bytes += size
        now = time.monotonic()
        if now - self._reported >= _REPORT_SECONDS:
            self._channel.send(Progress(self._rows, self._bytes))
            self._reported = now


def _unexpected(task: object, error: BaseException) -> WorkerFailedError:
    lines = "".join(traceback.format_exception(error)).splitlines()[-_TRACEBACK_LINES:]
    return WorkerFailedError(f"{task} failed with {type(error).__name__}: {error}\n" + "\n".join(lines))
