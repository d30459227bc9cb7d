"""What can go wrong between a task and the worker that runs it."""

from datamate.core.errors import ConflictError, DatamateError, InvalidInputError, NotFoundError


class TaskNotFoundError(NotFoundError):
    """There is no task by that id."""

    code = "task_not_found"


class TaskKeyReusedError(ConflictError):
    """This idempotency key already stands for a task with other input."""

    code = "idempotency_key_reused"


class TaskCancelledError(DatamateError):
    """The task was cancelled on request."""

    code = "cancelled"


class TaskFencedError(DatamateError):
    """This worker lost its lease on the task: another one may run it now, so nothing was written."""

    code = "task_fenced"


class InvalidPayloadError(InvalidInputError):
    """The input of the task does not fit its handler."""

    code = "invalid_payload"
