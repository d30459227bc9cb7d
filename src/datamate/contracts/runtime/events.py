"""Events of the runtime service."""

from typing import ClassVar

from datamate.contracts.events import Event


class RunCompleted(Event):
    """A run reached its end."""

    topic: ClassVar[str] = "run.completed"

    status: str
    output_dataset_id: str
    output_version: int | None = None
