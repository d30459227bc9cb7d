"""Tasks: work that outlives a request, claimed by workers with a lease and a fence."""

from datamate.platform.tasks.cancellation import request_cancel
from datamate.platform.tasks.context import TaskContext
from datamate.platform.tasks.enqueue import enqueue
from datamate.platform.tasks.errors import TaskCancelledError, TaskFencedError, TaskNotFoundError
from datamate.platform.tasks.kinds import BoundTask, TaskHandler, TaskKind, collect_tasks, task
from datamate.platform.tasks.queries import TaskFilter, get_task, list_tasks, wait_for_change
from datamate.platform.tasks.worker import TaskWorker

__all__ = [
    "BoundTask",
    "TaskCancelledError",
    "TaskContext",
    "TaskFencedError",
    "TaskFilter",
    "TaskHandler",
    "TaskKind",
    "TaskNotFoundError",
    "TaskWorker",
    "collect_tasks",
    "enqueue",
    "get_task",
    "list_tasks",
    "request_cancel",
    "task",
    "wait_for_change",
]
