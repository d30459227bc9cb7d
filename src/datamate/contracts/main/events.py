"""Events of the main service and of tasks."""

from typing import ClassVar

from datamate.contracts.events import Event


class TaskCreated(Event):
    """A task was queued; a worker that has room may claim it."""

    topic: ClassVar[str] = "task.created"

    kind: str
    queue: str


class TaskCompleted(Event):
    """A task reached its end: succeeded, failed or cancelled."""

    topic: ClassVar[str] = "task.completed"

    kind: str
    status: str


class UserChanged(Event):
    """A user was created, or its role, password, e-mail or admission changed."""

    topic: ClassVar[str] = "user.changed"
