"""The task that carries out a run, known to the service that enqueues it and to the worker that runs it."""

from typing import Final

from datamate.contracts.base import RequestBody
from datamate.platform.tasks import TaskKind


class RunPayload(RequestBody):
    """Which run to carry out."""

    run_id: str


RUN_TASK: Final = TaskKind("runtime.run", RunPayload, max_attempts=10)
"""Ten attempts: each continues where the last one was killed, so a retry costs one partition."""
