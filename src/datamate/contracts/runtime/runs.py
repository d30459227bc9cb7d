"""Runs: one execution of a recipe over a dataset version."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field, JsonValue

from datamate.contracts.base import Name, RequestBody, ResponseBody
from datamate.contracts.main.tasks import TaskError, TaskProgress


class RunStatus(StrEnum):
    """The life of a run; the same words as a task's."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class CreateRunRequest(RequestBody):
    """Run a recipe over one version of a dataset and publish the result as a new version."""

    recipe: str = Field(min_length=1, max_length=1_000_000, description="The recipe, as YAML.")
    dataset_id: str
    version: int | None = Field(None, ge=1, description="Version to read; the newest if left out.")
    output_dataset_id: str | None = Field(None, description="Dataset to publish to; the input's own if left out.")
    output_name: Name | None = Field(None, description="Make a new dataset of this name and publish to that.")
    output_format: Literal["jsonl", "parquet"] = "jsonl"


class OperatorCounts(ResponseBody):
    """What one operator did."""

    operator: str
    rows_in: int
    dropped: int
    changed: int
    quarantined: int
    seconds: float = Field(description="Time spent in it, summed over processes.")


class ChangedRow(ResponseBody):
    """One row before and after an operator changed it, both shortened."""

    operator: str
    source: str
    ordinal: int
    before: str
    after: str


class QuarantinedRow(ResponseBody):
    """A row that could not be processed, kept as it was."""

    source: str = Field(description="File it came from.")
    ordinal: int = Field(description="Its place in that file, from 0.")
    operator: str = Field(description="Operator that failed, or `reader`.")
    code: str
    message: str
    raw: str = Field(description="The original row, shortened to 2,000 characters.")
    raw_encoding: Literal["utf-8", "base64"] = Field("utf-8", description="base64 where the row is not UTF-8 text.")


class DroppedRow(ResponseBody):
    """A row that a filter or deduplicator removed, and why."""

    source: str
    ordinal: int
    operator: str
    metric: str
    value: float | None


class RunSummary(ResponseBody):
    """The account of a finished run: rows_in = kept + dropped + quarantined."""

    rows_in: int
    kept: int
    dropped: int
    quarantined: int
    dropped_by: dict[str, int] = Field(description="Rows dropped, by operator.")
    bytes_in: int
    bytes_out: int
    seconds: float = Field(description="Wall time of the engine.")
    operators: list[OperatorCounts]
    samples: list[ChangedRow] = Field([])


class Run(ResponseBody):
    """One run as its owner sees it."""

    id: str
    status: RunStatus
    task_id: str
    recipe: str
    dataset_id: str
    version: int
    output_dataset_id: str
    output_format: Literal["jsonl", "parquet"]
    output_version: int | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: TaskProgress | None
    summary: RunSummary | None
    error: TaskError | None
    plan: dict[str, JsonValue] | None = Field(None, description="Stages and partitions, once planned.")
    revision: int = Field(description="Grows with every change; an event stream resumes after it.")
