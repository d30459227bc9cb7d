"""The tasks of a server: work that outlives a request."""

from collections.abc import Iterator

from datamate.contracts.main.tasks import Task, TaskStatus
from datamate.sdk.connection import Connection


class Tasks:
    """Lists, follows and cancels tasks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, status: TaskStatus | None = None, kind: str | None = None) -> Iterator[Task]:
        """Yield tasks, newest first, perhaps only those of a status or a kind."""
        return self._connection.iterate(self._connection.main.iterate_tasks(status=status, kind=kind))

    def get(self, task_id: str) -> Task:
        """Return one task.

        Raises:
            NotFoundError: There is none by this id that you may see.
        """
        return self._connection.call(self._connection.main.get_task(task_id))

    def watch(self, task_id: str) -> Iterator[Task]:
        """Yield a task as it is now and at every change until it has ended, across broken connections."""
        return self._connection.iterate(self._connection.main.watch_task(task_id))

    def cancel(self, task_id: str) -> Task:
        """Ask a task to stop; one that has ended stays as it is."""
        return self._connection.call(self._connection.main.cancel_task(task_id))
