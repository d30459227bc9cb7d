"""Events of the data_management service."""

from typing import ClassVar

from datamate.contracts.events import Event


class DatasetChanged(Event):
    """A dataset was created, renamed, retagged or deleted."""

    topic: ClassVar[str] = "dataset.changed"


class DatasetVersionPublished(Event):
    """A dataset has a new version."""

    topic: ClassVar[str] = "dataset.version_published"

    dataset_id: str
    version: int
    source_run_id: str | None = None
