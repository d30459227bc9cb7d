"""Tasks: any unit of work that outlives a request."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from datamate.contracts.base import ResponseBody


class TaskStatus(StrEnum):
    """The life of a task: queued, running, then one of three ends; cancelling between."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATUSES = frozenset({TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.CANCELLED})


class TaskProgress(ResponseBody):
    """How far a task is."""

    done: int = Field(ge=0, description="Units finished.")
    total: int | None = Field(None, description="Units in all, once known.")
    unit: str = Field(description="What is counted: rows, files, bytes.")
    message: str = Field("", description="What it is doing now, in words.")


class TaskError(ResponseBody):
    """Why the last attempt failed."""

    code: str
    message: str
    retryable: bool


class Task(ResponseBody):
    """One task as its owner sees it."""

    id: str
    kind: str
    status: TaskStatus
    payload: dict[str, JsonValue]
    progress: TaskProgress | None
    result: dict[str, JsonValue] | None
    error: TaskError | None
    attempt: int = Field(description="How often a worker has claimed it.")
    max_attempts: int
    created_by: str = Field(description="Id of the user it works for.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    version: int = Field(description="Grows with every change; an event stream resumes after it.")
